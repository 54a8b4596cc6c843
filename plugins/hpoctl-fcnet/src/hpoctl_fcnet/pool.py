"""The pools: real training runs of a set as a blackbox. Its configurations are those that were trained, no others.

Losses are those of the runs, every epoch of them. Seconds are the original's, so that budgets mean the same as on the
whole table of the set: the mean runtime over the original's four seeds, in proportion to epochs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.blackbox import Curve
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray
from hpoctl.core.space import Config, TableSpace, Value
from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, NUM_EPOCHS, NUM_SEEDS, steps
from hpoctl_fcnet.packed import Float32Array, finals_file, from_planes, load_arrays, packaged_hashes
from hpoctl_fcnet.runs import runs_file
from hpoctl_fcnet.space import MAX_RESOURCE_ATTR, METRICS, SPACE

FORMAT: Final = 1
"""Changes when the same packaged files mean another pool."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The configurations of a set that were trained once, with seed 0, in the order in which they were drawn.

    Attributes:
        config: Rows of the grid, shape (n,).
        loss: Validation loss after each epoch, shape (n, 100).
        runtime: The original's seconds for 100 epochs, the mean over its seeds, shape (n,).
    """

    config: NDArray[np.int64]
    loss: Float32Array
    runtime: FloatArray


def pool_size(name: str) -> int:
    """How many configurations the pool of a set has."""
    return int(np.count_nonzero(load_arrays(runs_file(name), ("seed",))["seed"] == 0))


def load_pool(name: str) -> Pool:
    """The pool of a set."""
    arrays = load_arrays(runs_file(name), ("config", "seed", "valid"))
    first = arrays["seed"] == 0
    loss = from_planes(arrays["valid"].astype(np.uint8, copy=False), (len(first), NUM_EPOCHS))
    config = arrays["config"][first].astype(np.int64)
    planes = load_arrays(finals_file(name), ("runtime",))["runtime"].reshape(4, NUM_CONFIGS, NUM_SEEDS)[:, config]
    runtime = from_planes(planes.reshape(4, -1), (len(config), NUM_SEEDS)).astype(np.float64)
    # One addition after another: a mean along an axis may add in another order on another machine.
    return Pool(config, loss[first], (runtime[:, 0] + runtime[:, 1] + runtime[:, 2] + runtime[:, 3]) / NUM_SEEDS)


class PoolBlackbox:
    """The learning curves of the real runs of one set: their configurations, one seed, epochs 1 to 100.

    Args:
        name: The set: protein, naval or parkinsons.
    """

    def __init__(self, name: str) -> None:
        pool = load_pool(name)
        self._loss, self._runtime = pool.loss, pool.runtime
        self._rows = {index: row for row, index in enumerate(pool.config.tolist())}
        self._space = _table(pool.config)
        self._steps = tuple(steps().items())
        self._epochs = np.arange(1, NUM_EPOCHS + 1)
        self._shares = self._epochs / NUM_EPOCHS
        self._hash = _hash(name, pool)

    @property
    def space(self) -> TableSpace:
        """The configurations that were trained."""
        return self._space

    @property
    def metrics(self) -> tuple[str, ...]:
        """Validation loss (mean squared error of the standardised target) and cumulative seconds of training."""
        return METRICS

    @property
    def num_seeds(self) -> int:
        """One: each configuration was trained once."""
        return 1

    @property
    def content_hash(self) -> str:
        """A hash of all values."""
        return self._hash

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of a configuration.

        Raises:
            UsageError: It was not trained, or the seed is not 0.
        """
        if seed != 0:
            raise UsageError(f"The pool has no seed {seed}.", "Use seed 0.")
        row = self._row(config)
        elapsed: FloatArray = self._shares * float(self._runtime[row])
        metrics = np.empty((NUM_EPOCHS, 2))
        metrics[:, 0] = self._loss[row]
        metrics[:, 1] = elapsed
        return Curve(self._epochs, metrics, elapsed)

    def _row(self, config: Config) -> int:
        if len(config) == len(SPACE) and config.get(MAX_RESOURCE_ATTR) == NUM_EPOCHS:
            try:
                return self._rows[sum([step[config[name]] for name, step in self._steps])]
            except (KeyError, TypeError):
                pass  # the space says what is wrong
        return self._space.index(config)


def check_pool(name: str) -> Iterator[str]:
    """A line for each thing that is right about the data of a pool.

    Raises:
        IncompleteError: The first thing that is not right.
    """
    file_names = (runs_file(name), finals_file(name))
    found, listed = packaged_hashes(file_names)
    for file_name in file_names:
        _require(found[file_name] == listed.get(file_name), f"{file_name} is not the file that was packaged")
    yield f"packaged files have the SHA-256 that the package lists ({', '.join(file_names)})"
    pool = load_pool(name)
    size = len(pool.config)
    _require(len(np.unique(pool.config)) == size, "a configuration comes twice")
    _require(
        size > 0 and pool.config.min() >= 0 and pool.config.max() < NUM_CONFIGS, "a configuration is not on the grid"
    )
    yield f"{size:,} different configurations of the grid, each trained with seed 0"
    _require(bool(np.isfinite(pool.loss).all() and (pool.loss > 0).all()), "a loss is not finite and positive")
    yield f"losses of all {NUM_EPOCHS} epochs are finite and positive"
    _require(bool(np.isfinite(pool.runtime).all() and (pool.runtime > 0).all()), "a runtime is not positive")
    yield "runtimes are finite and positive"


def _require(right: bool, what: str) -> None:
    if not right:
        raise IncompleteError(f"Packaged data are damaged: {what}.", "Install hpoctl-fcnet again.")


def _table(config: NDArray[np.int64]) -> TableSpace:
    numbers = {name: _places(config, step) for name, step in steps().items()}
    none = np.zeros(len(config))
    return TableSpace.from_numbers(SPACE, np.stack([numbers.get(name, none) for name in SPACE], axis=1))


def _places(config: NDArray[np.int64], step: Mapping[Value, int]) -> FloatArray:
    """The number of each row's value of one hyperparameter, shape (n,)."""
    stride = list(step.values())[1]  # each hyperparameter has two values at least
    places: FloatArray = (config // stride % len(step)).astype(np.float64)
    return places


def _hash(name: str, pool: Pool) -> str:
    digest = sha256(f"hpoctl-fcnet pool {FORMAT} {name} {len(pool.config)} {','.join(GRID)}".encode())
    for array, kind in ((pool.config, "<i8"), (pool.loss, "<f4"), (pool.runtime, "<f8")):
        digest.update(np.ascontiguousarray(array, dtype=kind).tobytes())
    return digest.hexdigest()
