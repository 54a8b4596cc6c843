"""Contexts, reports and installed distributions that many tests use."""

from pathlib import Path

import numpy as np

from hpoctl.core.entries import Goal, MethodContext
from hpoctl.core.protocols import Report
from hpoctl.core.rng import Streams
from hpoctl.core.space import Space
from hpoctl.ops.studies.config import Root
from hpoctl.testing.toys import MAX_EPOCHS, toy_space


def context(
    space: Space | None = None,
    *,
    max_resource: int = MAX_EPOCHS,
    seed: int = 0,
    random_seed: int = 1,
    sign: float = 1.0,
) -> MethodContext:
    return MethodContext(space or toy_space(), Goal(0, sign), max_resource, Streams(random_seed, seed))


def report(trial_id: int, resource: int, value: float, *, time: float = 0.0) -> Report:
    """A report of one row."""
    return Report(
        trial_id,
        np.array([resource]),
        np.array([[value]]),
        np.array([float(resource)]),
        np.array([time]),
    )


def write_distribution(
    folder: Path, name: str, source: str, *, version: str = "1.0", entry_points: str | None = None
) -> Path:
    """Install a distribution of one module, as an installer would write it; returns its metadata folder."""
    module = f"{name.replace('-', '_')}_module"
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(
        f"[hpoctl]\n{f'{name} = {module}' if entry_points is None else entry_points}\n"
    )
    return info


def folder_of(root: Root) -> Path:
    """The folder of a root of results on this machine."""
    return Path(root.store.location(""))
