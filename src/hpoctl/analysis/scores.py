"""Methods over several benchmarks by their values: normalised scores, interquartile means, profiles, areas."""

from collections.abc import Sequence

import numpy as np

from hpoctl.analysis.aggregate import interquartile_mean
from hpoctl.analysis.paired import LEVEL, Interval
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray

THRESHOLDS = (0.05, 0.1, 0.2, 0.4)
"""Where performance profiles are read off."""

REPEATS = 2000
"""How many resamples the bootstrap of scores has."""


def normalised(losses: FloatArray, *, log: bool) -> FloatArray:
    """Losses of one benchmark between 0, the best of all of them, and 1, the worst; all equal: 0.

    Args:
        losses: Lower is better, any shape.
        log: Whether to take logarithms first; all have to be positive then.
    """
    values = np.log(losses) if log else np.asarray(losses)
    low, high = float(np.min(values)), float(np.max(values))
    if low == high:
        return np.zeros_like(values)
    return np.asarray((values - low) / (high - low))


def bootstrapped(
    scores: Sequence[FloatArray],
    generator: np.random.Generator,
    *,
    benchmarks: bool,
    repeats: int = REPEATS,
    level: float = LEVEL,
) -> list[tuple[float, Interval]]:
    """The interquartile mean of each method over benchmarks and seeds, with a bootstrap interval (percentiles).

    Seeds are drawn for all methods together, as they are paired.

    Args:
        scores: One array a benchmark, shape (seeds, methods).
        generator: Where draws come from.
        benchmarks: Whether benchmarks are drawn, too (hierarchical): then the interval is about benchmarks like these,
            else about these benchmarks (stratified).
        repeats: How often to draw.
        level: One less the confidence.
    """
    count = len(scores)
    means = np.empty((repeats, scores[0].shape[1]))
    for repeat in range(repeats):
        chosen = generator.integers(count, size=count) if benchmarks else range(count)
        drawn = [scores[place][generator.integers(len(scores[place]), size=len(scores[place]))] for place in chosen]
        means[repeat] = interquartile_mean(np.concatenate(drawn))
    ends = np.quantile(means, [level / 2.0, 1.0 - level / 2.0], axis=0)
    centre = interquartile_mean(np.concatenate(list(scores)))
    return [
        (float(mean), Interval(float(low), float(high)))
        for mean, low, high in zip(centre, ends[0], ends[1], strict=True)
    ]


def profile(scores: FloatArray, thresholds: Sequence[float] = THRESHOLDS) -> list[float]:
    """The share of scores at or below each threshold: the performance profile of a method."""
    return [float(np.mean(scores <= threshold)) for threshold in thresholds]


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
