"""Small tables as files: an npz or Parquet file with a description beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from hpoctl.blackboxes.tables.importer import import_table, imported_benchmarks
from hpoctl.core.entries import Benchmark, Imported

LEVELS = (1, 3, 9)
SEEDS = (7, 11)


def description(**changes: Any) -> dict[str, Any]:
    """A description as plain values, with some of its keys changed (None: left out)."""
    table = {
        "name": "mine",
        "summary": "A table of my own",
        "metric": "loss",
        "mode": "min",
        "resource_attr": "epoch",
        "max_resource_attr": "epochs",
        "n_workers": 2,
        "max_wallclock_time": 500,
        "elapsed": "seconds",
        "space": {
            "act": {"type": "choice", "values": ["tanh", "relu"]},
            "units": {"type": "ordinal", "values": [8, 16, 32], "kind": "nn-log"},
            "lr": {"type": "loguniform", "lower": 0.001, "upper": 1.0},
            "epochs": 9,
        },
    } | changes
    return {key: value for key, value in table.items() if value is not None}


@dataclass
class Own:
    """Six configurations, two seeds, three levels; tests change what they like before they write it."""

    act: Any = field(default_factory=lambda: np.array(["relu", "tanh", "relu", "tanh", "relu", "tanh"]))
    units: Any = field(default_factory=lambda: np.array([8, 8, 16, 16, 32, 32]))
    lr: Any = field(default_factory=lambda: np.array([0.1, 0.01, 0.5, 0.25, 0.002, 1.0]))
    loss: Any = field(default_factory=lambda: 1.0 + np.arange(36.0).reshape(6, 2, 3) / 7)
    seconds: Any = field(default_factory=lambda: np.cumsum(1.0 + np.arange(36.0).reshape(6, 2, 3) / 3, axis=-1))
    fidelities: Any = field(default_factory=lambda: np.array(LEVELS))

    def arrays(self, **more: Any) -> dict[str, Any]:
        """The arrays of an npz file (None: left out)."""
        own = {
            "param_names": np.array(["act", "units", "lr"]),
            "act": self.act,
            "units": self.units,
            "lr": self.lr,
            "loss": self.loss,
            "seconds": self.seconds,
            "fidelities": self.fidelities,
        } | more
        return {name: array for name, array in own.items() if array is not None}

    def rows(self) -> dict[str, Any]:
        """The columns of a Parquet file."""
        n, seeds, levels = self.loss.shape
        each = np.arange(n * seeds * levels)
        config, seed, level = each // (seeds * levels), each // levels % seeds, each % levels
        columns = {name: np.asarray(getattr(self, name))[config] for name in ("act", "units", "lr")}
        columns |= {"seed": np.array(SEEDS)[seed], "epoch": np.asarray(self.fidelities)[level]}
        return columns | {"loss": self.loss.ravel(), "seconds": self.seconds.ravel()}


def write_toml(path: Path, table: Mapping[str, Any]) -> Path:
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    return path


def write_npz(folder: Path, arrays: Mapping[str, Any], table: Mapping[str, Any] | None = None) -> Path:
    """`mine.npz` with `mine.toml` beside it; returns the former."""
    path = folder / "mine.npz"
    np.savez_compressed(path, **arrays)
    write_toml(folder / "mine.toml", description() if table is None else table)
    return path


def write_parquet(folder: Path, columns: Mapping[str, Any], table: Mapping[str, Any] | None = None) -> Path:
    """`mine.parquet` with `mine.toml` beside it; returns the former."""
    path = folder / "mine.parquet"
    pq.write_table(pa.table(dict(columns)), path)
    write_toml(folder / "mine.toml", description(seed="seed") if table is None else table)
    return path


def import_it(path: Path) -> Imported:
    """Import a table as the command does; there are no plugins."""
    return import_table(path, lambda what, done, total: None, dict)


def benchmark(name: str = "mine") -> Benchmark:
    """The benchmark of an imported table."""
    return next(found for found in imported_benchmarks() if found.name == name)


def contents(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder, by path; folders are None."""
    found = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}
