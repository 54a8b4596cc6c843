"""Methods over several benchmarks by their values: normalised regret, performance profiles, areas under curves."""

from collections.abc import Sequence

import numpy as np

from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray

THRESHOLDS = (0.05, 0.1, 0.2, 0.4)
"""Where performance profiles are read off."""


def normalised(losses: FloatArray, *, log: bool) -> FloatArray:
    """The normalised regret of losses of one benchmark: 0 is the best of all of them, 1 the worst; all equal: 0.

    Args:
        losses: Lower is better; infinite where a run has no value, which counts as the worst, any shape.
        log: Whether to take logarithms first; all have to be positive then.
    """
    values = np.log(losses) if log else np.asarray(losses)
    known = values[np.isfinite(values)]
    low, high = float(np.min(known)), float(np.max(known))
    lost = ~np.isfinite(values)
    if low == high:
        return np.asarray(lost, dtype=float)
    return np.asarray(np.where(lost, 1.0, (np.where(lost, high, values) - low) / (high - low)))


def profile(scores: FloatArray, thresholds: Sequence[float] = THRESHOLDS) -> tuple[float, ...]:
    """The share of scores at or below each threshold: the performance profile of a method."""
    return tuple(float(np.mean(scores <= threshold)) for threshold in thresholds)


def mean_height(trace: Trace, start: float, end: float, *, log: bool) -> float:
    """The area under a best-so-far curve divided by its length: the mean of the curve over time.

    Args:
        trace: The curve; it has a value at the start.
        start: Where to begin, in seconds.
        end: Where to end, in seconds, later than the start.
        log: Whether to average logarithms, which gives the geometric mean.
    """
    inside = (trace.times > start) & (trace.times < end)
    edges = np.concatenate([[start], trace.times[inside], [end]])
    values = trace.at(edges[:-1])
    mean = float(np.average(np.log(values) if log else values, weights=np.diff(edges)))
    return float(np.exp(mean)) if log else mean
