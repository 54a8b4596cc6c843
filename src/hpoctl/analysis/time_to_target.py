"""How long a method takes to reach what another one reaches: ratios of times, of which some are censored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from hpoctl.analysis.paired import LEVEL, Interval
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray


@dataclass(frozen=True, slots=True)
class TimeRatio:
    """The time in which a method reaches another one's last value, as a share of the time that the other took.

    Attributes:
        n: How many seeds there are.
        reached: In how many of them the value is reached within the budget.
        median: The median ratio; None: too many seeds did not reach the value to know it.
        interval: Its interval, from order statistics; an end that is not known is infinite. None: no median.
    """

    n: int
    reached: int
    median: float | None
    interval: Interval | None


def time_ratios(first: Sequence[Trace], second: Sequence[Trace], end: float) -> tuple[FloatArray, FloatArray]:
    """For each pair the ratio of times, infinite where it is censored, and what is known to lie below it.

    The target of a pair is the value that the second has at the end, and the second's time is when it first had it.
    Where the first never reaches it, its time is longer than the budget: such a ratio is at least `end` / that time.

    Args:
        first: The method that is asked about.
        second: The one that sets the targets, paired with it.
        end: The end of the budget in seconds.

    Returns:
        Ratios and their lower bounds, shape (n,) each; pairs without a target are left out.
    """
    pairs = [_ratio(one, other, end) for one, other in zip(first, second, strict=True)]
    known = [pair for pair in pairs if pair is not None]
    return np.array([ratio for ratio, _ in known]), np.array([bound for _, bound in known])


def time_to_target(first: Sequence[Trace], second: Sequence[Trace], end: float, level: float = LEVEL) -> TimeRatio:
    """The median ratio of times with its interval; see `time_ratios`.

    A median is given if it is the same whatever the censored ratios are.
    """
    ratios, bounds = time_ratios(first, second, end)
    reached = int(np.sum(np.isfinite(ratios)))
    if not reached:
        return TimeRatio(len(ratios), 0, None, None)
    highest, lowest = np.sort(ratios), np.sort(bounds)
    middle, other = (len(ratios) - 1) // 2, len(ratios) // 2
    if not np.isfinite(highest[other]) or highest[middle] != lowest[middle] or highest[other] != lowest[other]:
        return TimeRatio(len(ratios), reached, None, None)
    median = float(np.sqrt(highest[middle] * highest[other]))  # of ratios, the mean of two is the geometric one
    place = int(binom.ppf(level / 2.0, len(ratios), 0.5)) - 1
    if place < 0:
        return TimeRatio(len(ratios), reached, median, Interval(0.0, np.inf))
    interval = Interval(float(lowest[place]), float(highest[-1 - place]))
    return TimeRatio(len(ratios), reached, median, interval)


def _ratio(first: Trace, second: Trace, end: float) -> tuple[float, float] | None:
    """The ratio and its lower bound; None: there is no target."""
    within = second.times <= end
    if not np.any(within):
        return None
    target, taken = float(second.values[within][-1]), float(second.times[within][-1])
    good = first.values <= target if first.mode == "min" else first.values >= target
    times = first.times[good & (first.times <= end)]
    if len(times):
        time = float(times[0])
        ratio = time / taken if taken > 0.0 else (1.0 if time == 0.0 else np.inf)
        return ratio, ratio
    return np.inf, end / taken if taken > 0.0 else np.inf
