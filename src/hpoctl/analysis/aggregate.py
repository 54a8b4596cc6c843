"""From the best values so far of many seeds to one line and a band around it.

All functions are pure, and what is random follows from a seed. Values are the metric's own, whether it is minimised or
maximised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray, IntArray

Aggregate = Literal["iqm_bootstrap", "mean", "median"]
LEVEL = 0.95
RESAMPLES = 1000
TINY = 1e-12
"""A smaller share of a distribution is taken for this."""

POINTS = 200
"""At how many times a line is known: more than a panel of a figure can show."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A line with a band around it.

    Attributes:
        times: In seconds, or in what else a line is against, increasing, shape (t,).
        centre: The aggregate over seeds at these times, shape (t,); NaN before every seed has a value.
        low: The lower end of the band, shape (t,); NaN where there is none, as with a single seed.
        high: The upper end of the band, shape (t,).
        seeds: How many seeds it is of.
    """

    times: FloatArray
    centre: FloatArray
    low: FloatArray
    high: FloatArray
    seeds: int


def times_up_to(budget: float, points: int = POINTS) -> FloatArray:
    """Times at equal distances, the budget being the last, shape (points,)."""
    return np.linspace(0.0, budget, points + 1)[1:]


def values_at(traces: Sequence[Trace], times: FloatArray) -> FloatArray:
    """The best value so far of each trace, shape (n, t); NaN before its first value."""
    return np.stack([trace.at(times) for trace in traces])


def band(
    values: FloatArray,
    times: FloatArray,
    aggregate: Aggregate,
    *,
    simultaneous: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Band:
    """The aggregate over seeds with its band.

    `iqm_bootstrap` is the interquartile mean with the percentile interval of a bootstrap over seeds, `mean` the mean
    with the interval of Student's t, `median` the median with the quartiles, which show spread and are no interval.

    Args:
        values: The best value so far, shape (n, t), a row a seed; NaN before the first value.
        times: In seconds, or in what else the line is against, shape (t,).
        aggregate: Which aggregate.
        simultaneous: Whether the band is to hold the whole line in 95 of 100 studies, instead of each point of it: a
            bootstrap of the largest standardised deviation along the line (sup-t). Not for the median.
        seed: The seed of the bootstrap.
        resamples: How many resamples the bootstrap has.

    Raises:
        ValueError: There is no seed, or a simultaneous band of the median is asked for.
    """
    count = len(values)
    if count == 0 or (simultaneous and aggregate == "median"):
        raise ValueError("no seeds, or no such band")
    centre, low, high = (np.full(len(times), np.nan) for _ in range(3))
    known = np.flatnonzero(np.isfinite(values).all(axis=0))
    part = values[:, known]
    if aggregate == "median":
        centre[known] = np.median(part, axis=0)
    else:
        centre[known] = part.mean(axis=0) if aggregate == "mean" else interquartile_mean(part)
    if count > 1 and len(known):
        if aggregate == "median":
            low[known], high[known] = np.quantile(part, [0.25, 0.75], axis=0)
        elif simultaneous:
            low[known], high[known] = _sup_t(part, centre[known], aggregate, seed, resamples)
        elif aggregate == "mean":
            half = _student(count) * part.std(axis=0, ddof=1) / np.sqrt(count)
            low[known], high[known] = centre[known] - half, centre[known] + half
        else:
            ends = [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]
            low[known], high[known] = np.quantile(_resampled(part, aggregate, seed, resamples), ends, axis=0)
    return Band(times, centre, low, high, count)


def interquartile_mean(values: FloatArray) -> FloatArray:
    """The mean of the middle half along the first axis: of n values, floor(n/4) at either end do not count."""
    cut = len(values) // 4
    return np.asarray(np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0))


def _resampled(values: FloatArray, aggregate: Aggregate, seed: int, resamples: int) -> FloatArray:
    """The aggregate of samples of as many seeds, drawn with replacement, shape (resamples, t)."""
    count = len(values)
    drawn = np.random.default_rng([seed, count]).multinomial(count, np.full(count, 1.0 / count), size=resamples)
    if aggregate == "mean":
        return np.asarray(drawn @ values / count)
    return _interquartile_means(values, drawn)


def _interquartile_means(values: FloatArray, drawn: IntArray) -> FloatArray:
    """The interquartile mean of each resample, from how often each seed was drawn: one sort does for all of them."""
    count = len(values)
    cut = count // 4
    order = np.argsort(values, axis=0)
    result = np.empty((len(drawn), values.shape[1]))
    # Seeds change places in the order rarely along a line: columns of one order are worked on together.
    orders, which = np.unique(order, axis=1, return_inverse=True)
    which = np.ravel(which)
    for number in range(orders.shape[1]):
        columns = np.flatnonzero(which == number)
        reached = np.clip(np.cumsum(drawn[:, orders[:, number]], axis=1), cut, count - cut)
        weights = np.diff(reached, axis=1, prepend=cut)
        result[:, columns] = weights @ values[np.ix_(orders[:, number], columns)] / (count - 2 * cut)
    return result


def _sup_t(
    values: FloatArray, centre: FloatArray, aggregate: Aggregate, seed: int, resamples: int
) -> tuple[FloatArray, FloatArray]:
    """The ends of a simultaneous band; of positive values on a logarithmic scale, on which it stays positive."""
    samples = _resampled(values, aggregate, seed, resamples)
    positive = bool(values.min() > 0.0)
    if positive:
        samples, centre = np.log(samples), np.log(centre)
    # A bootstrap over n seeds has the spread of (n - 1) / n of the variance.
    spread = samples.std(axis=0) * np.sqrt(len(values) / (len(values) - 1.0))
    moving = spread > 0.0
    if not moving.any():
        half = np.zeros_like(spread)
    else:
        largest = (np.abs(samples - centre)[:, moving] / spread[moving]).max(axis=1)
        half = _for_few(float(np.quantile(largest, LEVEL)), len(values)) * spread
    low, high = centre - half, centre + half
    return (np.exp(low), np.exp(high)) if positive else (low, high)


def _for_few(critical: float, count: int) -> float:
    """A critical value of known spreads as one of spreads that are estimated from few seeds: from normal to t."""
    from scipy.special import ndtr, stdtrit  # noqa: PLC0415 - the default does without it

    return float(-stdtrit(count - 1, max(float(ndtr(-critical)), TINY)))


def _student(count: int) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415 - the default does without it

    return float(stdtrit(count - 1, (1.0 + LEVEL) / 2.0))
