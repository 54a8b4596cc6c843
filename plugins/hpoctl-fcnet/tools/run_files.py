"""Which runs are made, and the files that hold them.

Run i of a set is always the same configuration with the same seed: configurations come in the order of a hash, which is
a uniform draw without replacement. A file of runs is a sequence of fixed-size records, each with a checksum; it only
grows, and a record cut short by a crash is left out by the reader and overwritten by the next writer.
"""

import os
import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpoctl_fcnet.grid import NUM_CONFIGS, NUM_EPOCHS

RECORD = np.dtype(
    [
        ("config", "<u4"),
        ("seed", "<u4"),
        ("train", "<f4", NUM_EPOCHS),
        ("valid", "<f4", NUM_EPOCHS),
        ("seconds", "<f4", NUM_EPOCHS),
        ("crc", "<u4"),
    ]
)


class Run(NamedTuple):
    """One training run: the set, the row of the configuration in the grid, and the seed."""

    name: str
    config: int
    seed: int


def configs_in_order(name: str) -> list[int]:
    """All rows of the grid in the order in which they are trained on a set."""
    return sorted(range(NUM_CONFIGS), key=lambda row: sha256(f"fcnet {name} {row}".encode()).digest())


def random_state(run: Run) -> int:
    """The 64-bit seed of the trainer for a run."""
    return int.from_bytes(sha256(f"fcnet {run.name} {run.config} {run.seed}".encode()).digest()[:8], "little")


def plan(per_round: Mapping[str, int], runs: int, repeated: int, repeats: int) -> Iterator[Run]:
    """All runs in the order in which they are made.

    Args:
        per_round: The sets, which take turns, and how many runs at a time.
        runs: Configurations per set, with seed 0.
        repeated: How many of the configurations are trained again, the first ones.
        repeats: With how many further seeds.
    """
    order = {name: configs_in_order(name) for name in per_round}
    first = dict.fromkeys(per_round, 0)
    while any(start < runs for start in first.values()):
        for name, count in per_round.items():
            end = min(first[name] + count, runs)
            yield from (Run(name, config, 0) for config in order[name][first[name] : end])
            first[name] = end
    for seed in range(1, repeats + 1):
        for name in per_round:
            yield from (Run(name, config, seed) for config in order[name][:repeated])


def raw_file(folder: Path, name: str) -> Path:
    """The file that holds the runs of a set."""
    return folder / f"{name}.runs"


def read_runs(path: Path) -> np.ndarray:
    """The intact records of a file, in the order in which they were written; none if there is no file."""
    if not path.exists():
        return np.empty(0, RECORD)
    data = path.read_bytes()
    whole = len(data) // RECORD.itemsize * RECORD.itemsize
    records = np.frombuffer(data[:whole], RECORD)
    return records[[zlib.crc32(record.tobytes()[:-4]) == int(record["crc"]) for record in records]]


def append_run(path: Path, run: Run, losses_and_seconds: bytes) -> None:
    """Append one record and wait until it is on disk. Only one process may write to a file."""
    body = np.array([run.config, run.seed], "<u4").tobytes() + losses_and_seconds
    record = body + zlib.crc32(body).to_bytes(4, "little")
    with path.open("ab") as file:
        file.truncate(file.tell() // RECORD.itemsize * RECORD.itemsize)
        file.write(record)
        file.flush()
        os.fsync(file.fileno())
