"""From metric values to the targets of a model: finite, without far outliers, with mean 0 and variance 1.

Everything is computed from the values alone and nothing has to be undone: the acquisition function compares
predictions with one another, never with raw metrics.
"""

import numpy as np
from numpy.typing import ArrayLike

from hpoctl.gp.linalg import FloatArray

SKEW = 3.0
"""Positive values are modelled on a log scale if their median is this many times their minimum."""

REACH = 2.0
"""The tail begins at the median plus this many times the distance from the minimum to the median ..."""

KEPT = 0.75
"""... but not below this quantile: a search that has found the optimum would cut all it knows of elsewhere."""


def targets(values: ArrayLike) -> FloatArray:
    """Targets, shape (n,), from values to be minimised, shape (n,); a larger value never gets a smaller target.

    NaN and infinite values count as the worst finite one. Positive values with a heavy upper tail, such as losses that
    span decades, are replaced by their logarithms. The upper tail is cut: how bad the bad half is does not matter for
    finding the best. All equal values, or none that is finite, give zeros.

    Raises:
        ValueError: There are no values, or not in one dimension.
    """
    y = np.array(values, dtype=np.float64)
    if y.ndim != 1 or not len(y):
        raise ValueError(f"values need the shape (n,) with n >= 1, not {y.shape}")
    finite = np.isfinite(y)
    if not finite.any():
        return np.zeros(len(y))
    y[~finite] = y[finite].max()
    return _standardised(_without_tail(_on_log_scale(y)))


def _on_log_scale(y: FloatArray) -> FloatArray:
    least = float(y.min())
    if least > 0.0 and _quantile(np.sort(y / 2.0), 0.5) / SKEW > least / 2.0:  # halves: the mean of two may overflow
        return np.log(y)
    return y


def _without_tail(y: FloatArray) -> FloatArray:
    y = y / (np.abs(y).max() or 1.0)  # the differences of values near the end of the number range would overflow
    ordered = np.sort(y)
    middle, least = _quantile(ordered, 0.5), float(ordered[0])
    end = max(middle + REACH * (middle - least), _quantile(ordered, KEPT))
    return np.minimum(y, end) if end > least else y


def _quantile(ordered: FloatArray, share: float) -> float:
    """The quantile of increasing numbers, shape (n,), between two of them in proportion: np.quantile is far slower."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (place - below) * (high - low)


def _standardised(y: FloatArray) -> FloatArray:
    least, greatest = float(y.min()), float(y.max())
    if not greatest > least:
        return np.zeros(len(y))
    y = (y - least) / (greatest - least)
    return np.asarray((y - y.mean()) / y.std())
