"""Files of the layout that the originals are described to have, made from the embedded final values."""

import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import h5py
import numpy as np
from h5py import h5d, h5g, h5p, h5s, h5t

from hpoctl.core.space import Value
from hpoctl_fcnet.grid import GRID
from hpoctl_fcnet.packed import Finals


def key(config: Mapping[str, object]) -> str:
    """The name of a configuration's group."""
    return json.dumps({name.removeprefix("hp_"): value for name, value in config.items()}, sort_keys=True)


def configs(grid: Mapping[str, tuple[Value, ...]] = GRID) -> Iterator[dict[str, Value]]:
    """All configurations, in the order of the tables."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def losses(finals: Finals) -> np.ndarray:
    """Curves that end in the final values, shape (n, 4, 100)."""
    rng = np.random.default_rng(7)
    shapes = np.exp(rng.random((64, 4, 100), np.float32) * np.linspace(2, 0, 100, dtype=np.float32))
    return finals.loss[:, :, None] * np.resize(shapes, (len(finals.loss), 4, 100)).astype(np.float32)


def write_original(path: Path, finals: Finals, grid: Mapping[str, tuple[Value, ...]] = GRID) -> np.ndarray:
    """Write a file with the curves of `losses`, which are returned, by the fastest calls that h5py has."""
    curves = losses(finals)
    with h5py.File(path, "w", libver="latest") as file:
        curve, four = h5s.create_simple((4, 100)), h5s.create_simple((4,))
        compact = h5p.create(h5p.DATASET_CREATE)
        compact.set_layout(h5d.COMPACT)
        compact.set_fill_time(h5d.FILL_TIME_NEVER)

        def put(group, name, values, space):
            h5d.create(group, name, h5t.NATIVE_FLOAT, space, compact).write(h5s.ALL, h5s.ALL, values)

        others = h5g.create(file.id, b"shared")  # what the reader does not look at is the same in all groups
        for name in (b"train_loss", b"train_mse", b"valid_loss"):
            put(others, name, np.ones((4, 100), np.float32), curve)
        for row, config in enumerate(configs(grid)):
            group = h5g.create(file.id, key(config).encode())
            put(group, b"valid_mse", curves[row], curve)
            put(group, b"runtime", finals.runtime[row], four)
            if row % 1000 == 0:
                for name in (b"train_loss", b"train_mse", b"valid_loss"):
                    group.links.create_hard(name, others, name)
        del file["shared"]
    return curves


def tree(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder, with the content of its files."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
