"""Real small distributions, made on the spot: a module and the metadata that an installer would write."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from support import write_distribution

Install = Callable[..., list[EntryPoint]]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one module; returns its entry points of the group `hpoctl`."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("HPOCTL_PLUGINS", raising=False)
    before = set(sys.modules)

    def make(name: str, source: str, *, version: str = "1.0", entry_points: str | None = None) -> list[EntryPoint]:
        info = write_distribution(tmp_path, name, source, version=version, entry_points=entry_points)
        return list(Distribution.at(info).entry_points)

    yield make
    for added in set(sys.modules) - before:
        if added.endswith("_module"):
            del sys.modules[added]
