"""Real small distributions, made on the spot: a module and the metadata that an installer would write."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

Install = Callable[..., list[EntryPoint]]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one module; returns its entry points of the group `hpoctl`."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("HPOCTL_PLUGINS", raising=False)
    before = set(sys.modules)

    def make(
        name: str,
        source: str,
        *,
        version: str = "1.0",
        entry_points: str | None = None,
        module: str | None = None,
    ) -> list[EntryPoint]:
        module = module or f"{name.replace('-', '_')}_module"
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        text = entry_points if entry_points is not None else f"{name} = {module}"
        (info / "entry_points.txt").write_text(f"[hpoctl]\n{text}\n")
        return list(Distribution.at(info).entry_points)

    yield make
    for added in set(sys.modules) - before:
        if added.endswith("_module"):
            del sys.modules[added]
