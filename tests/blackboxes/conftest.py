"""A folder for imported data, empty for each test, and no plugins."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "data"
    monkeypatch.setenv("HPOCTL_DATA", str(place))
    monkeypatch.setenv("HPOCTL_PLUGINS", "")
    return place
