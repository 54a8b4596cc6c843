"""What fitting and checking the curve models have in common: the real runs, and modelled curves beside them.

A modelled curve of a real run has everything that the tables' curves have, except that nothing has seen its
configuration: neither the networks that predict it nor the donors of residuals.
"""

from dataclasses import dataclass

import numpy as np

from hpoctl_fcnet.curves import NEIGHBOURS, CurveModel, exponents_of, nearest, places
from hpoctl_fcnet.exact import FINE_LOG_BITS, LOG_BITS, snap
from hpoctl_fcnet.packed import load_finals
from hpoctl_fcnet.runs import load_runs


@dataclass(frozen=True)
class Targets:
    """The first run of each configuration of a set.

    Attributes:
        config: Rows of the grid, shape (n,).
        curves: Log losses, shape (n, 100).
        own: ln L(100) of the run, on the scale of the original, shape (n,).
        finals: ln L(100) of the original's four seeds, shape (n, 4).
    """

    config: np.ndarray
    curves: np.ndarray
    own: np.ndarray
    finals: np.ndarray

    @property
    def logs(self) -> np.ndarray:
        """The mean of the original's ln L(100) over seeds, shape (n,)."""
        return self.finals.mean(axis=1)


@dataclass(frozen=True)
class Repeats:
    """The configurations of a set with four runs, each with its runs in ascending order of their final losses.

    Attributes:
        config: Rows of the grid, shape (r,).
        curves: Log losses, shape (r, 4, 100).
        finals: ln L(100), on the scale of the original, shape (r, 4).
    """

    config: np.ndarray
    curves: np.ndarray
    finals: np.ndarray

    @property
    def logs(self) -> np.ndarray:
        """The mean of ln L(100) over seeds, shape (r,)."""
        return self.finals.mean(axis=1)

    @property
    def deviations(self) -> np.ndarray:
        """What ln L(100) of the seeds is above that mean, shape (r, 4)."""
        return self.finals - self.logs[:, None]


def targets_of(name: str) -> Targets:
    """The first run of each configuration of a set."""
    runs = load_runs(name)
    first = runs.seed == 0
    config, curves = runs.config[first], np.log(runs.valid[first].astype(np.float64))
    return Targets(config, curves, curves[:, -1] - offset(name), original_logs(name)[config])


def repeats_of(name: str) -> Repeats:
    """The configurations of a set with four runs."""
    runs = load_runs(name)
    config = np.unique(runs.config[runs.seed > 0])
    rows = np.array([np.flatnonzero(runs.config == one) for one in config])
    curves = np.log(runs.valid[rows].astype(np.float64))
    order = np.argsort(curves[:, :, -1], axis=1, kind="stable")
    curves = np.take_along_axis(curves, order[:, :, None], axis=1)
    return Repeats(config, curves, curves[:, :, -1] - offset(name))


def original_logs(name: str) -> np.ndarray:
    """The original's ln L(100), shape (62208, 4)."""
    return np.log(load_finals(name).loss.astype(np.float64))


def offset(name: str) -> float:
    """How far ln L(100) of our runs lies above the original's, in the median."""
    runs = load_runs(name)
    first = runs.seed == 0
    original = original_logs(name)[runs.config[first]].mean(axis=1)
    return float(np.median(np.log(runs.valid[first, -1].astype(np.float64)) - original))


def table_logs(model: CurveModel, targets: Targets | Repeats, smooth: np.ndarray) -> np.ndarray:
    """Modelled log losses of runs, whose donors are other configurations, shape (n, 4, 100).

    The check does without the bending of very deep dips.

    Args:
        model: The model.
        targets: The runs.
        smooth: What networks that have not seen the configurations predict, shape (n, 99).
    """
    fine = snap(targets.finals, FINE_LOG_BITS)
    deviations = fine - fine.mean(axis=1, keepdims=True)
    here = places(targets.config, snap(targets.logs, LOG_BITS), deviations)
    near = nearest(here, places(model.runs, model.run_logs, model.deviations), NEIGHBOURS + 1)
    other = model.runs[near] != targets.config[:, None]
    first = np.argsort(~other, axis=1, kind="stable")[:, :NEIGHBOURS]
    turn = np.random.default_rng(5).integers(0, NEIGHBOURS, len(here))
    rows = np.arange(len(here))
    donors = near[rows, first[rows, turn]]
    exponents = exponents_of(model, targets.config, smooth, deviations, donors)
    return np.concatenate([exponents, np.zeros((*exponents.shape[:2], 1))], axis=2) + targets.finals[:, :, None]


def dips(curves: np.ndarray) -> np.ndarray:
    """ln(last / lowest) of log losses, shape (..., 100)."""
    found: np.ndarray = curves[..., -1] - curves.min(axis=-1)
    return found


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation of two samples."""
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
