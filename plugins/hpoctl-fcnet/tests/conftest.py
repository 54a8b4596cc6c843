"""One cache directory for the whole session, with one expanded table; no test sees the user's own cache or imports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hpoctl_fcnet.table import Table, open_table


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_CACHE", str(cache))


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where imports of this test go; nothing is there."""
    data = tmp_path / "data"
    monkeypatch.setenv("HPOCTL_DATA", str(data))
    return data


@pytest.fixture(scope="session")
def protein(cache: Path) -> Iterator[Table]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HPOCTL_CACHE", str(cache))
        yield open_table("protein", None)
