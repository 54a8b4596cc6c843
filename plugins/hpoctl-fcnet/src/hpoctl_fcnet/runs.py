"""The real training runs inside the package: what the curve models are fitted to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl_fcnet.grid import NUM_EPOCHS
from hpoctl_fcnet.packed import Float32Array, from_planes, load_arrays, to_planes

TRAINED_SETS = ("protein", "naval", "parkinsons")
"""The sets whose raw data can be had."""
TRAIN_BITS = 10
SECONDS_BITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Training runs of one set, in the order in which their configurations were drawn.

    Attributes:
        config: Rows of the grid, shape (n,).
        seed: Seed of each run; 0 except for repeated configurations, shape (n,).
        valid: Validation loss after each epoch, lossless, shape (n, 100).
        train: Training loss of each epoch (running mean, with dropout), to 0.05 %, shape (n, 100).
        seconds: CPU seconds of each epoch on the machine that trained them, to 2 %, shape (n, 100).
    """

    config: NDArray[np.int64]
    seed: NDArray[np.int64]
    valid: Float32Array
    train: Float32Array
    seconds: Float32Array


def runs_file(name: str) -> str:
    """The packaged file with the runs of a set."""
    return f"runs-{name}.npz"


def pack_runs(runs: Runs) -> dict[str, NDArray[Any]]:
    """The arrays of a file."""
    return {
        "config": runs.config.astype(np.uint16),
        "seed": runs.seed.astype(np.uint8),
        "valid": to_planes(runs.valid),
        "train": _logs(runs.train, TRAIN_BITS).astype(np.int16),
        "seconds": _logs(runs.seconds, SECONDS_BITS).astype(np.int16),
    }


def unpack_runs(arrays: Mapping[str, NDArray[Any]]) -> Runs:
    """The runs behind the arrays of a file; the inverse of `pack_runs` up to the stated precision."""
    config = arrays["config"].astype(np.int64)
    return Runs(
        config=config,
        seed=arrays["seed"].astype(np.int64),
        valid=from_planes(arrays["valid"].astype(np.uint8), (len(config), NUM_EPOCHS)),
        train=np.exp2(arrays["train"] / float(1 << TRAIN_BITS)).astype(np.float32),
        seconds=np.exp2(arrays["seconds"] / float(1 << SECONDS_BITS)).astype(np.float32),
    )


def load_runs(name: str) -> Runs:
    """The packaged runs of a set."""
    return unpack_runs(load_arrays(runs_file(name)))


def _logs(values: Float32Array, bits: int) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.rint(np.log2(values.astype(np.float64)) * (1 << bits))
    return logs
