"""Two methods on one benchmark, paired by seed: how much they differ, and whether it can be chance.

Everything rests on the differences of the pairs, or on the logarithms of their ratios. The test is the signed-rank test
with its exact distribution, in which each difference could as well have had the other sign. A run without a finite
value is worse than every run that has one: its difference is infinite, and ranks take it for the largest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from hpoctl.analysis.signed_rank import MOST_EXACT, SignedRank, critical_sum, signed_rank
from hpoctl.core.protocols import FloatArray, Mode

ROUNDING = 1e-14
"""Some fifty times the distance of one float to the next, relative to their size."""

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: The lower end; infinite where the data do not bound it.
        high: The upper end.
        open_low: Whether the lower end itself is rejected.
        open_high: Whether the upper end itself is rejected.
    """

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether the interval contains a value."""
        above = value > self.low or (value == self.low and not self.open_low)
        return above and (value < self.high or (value == self.high and not self.open_high))


@dataclass(frozen=True, slots=True)
class Paired:
    """What pairs of values (a, b) say about a beside b.

    Attributes:
        n: How many pairs there are.
        log: Whether `mean`, `median` and `shift` are ratios a / b, not differences a - b.
        mean: The mean difference, or the geometric mean of the ratios; None: a run of a pair has no finite value.
        median: The median difference or ratio; infinite, or 0 of ratios, where most runs of one method have no value.
        shift: The shift of Hodges and Lehmann, which is the median of the means of all two differences.
        shift_interval: The shifts that the signed-rank test does not reject.
        test: The signed-rank test.
        improvement: The probability that a is better than b, ties counted half.
        improvement_interval: Its interval.
    """

    n: int
    log: bool
    mean: float | None
    median: float
    shift: float
    shift_interval: Interval
    test: SignedRank
    improvement: float
    improvement_interval: Interval


def compare_pairs(first: FloatArray, second: FloatArray, *, log: bool, mode: Mode, level: float = LEVEL) -> Paired:
    """What pairs of values say about the first beside the second.

    Args:
        first: Values, shape (n,), n >= 1; infinitely bad (see `worst_value`) where a run has none.
        second: Those paired with them, shape (n,).
        log: Whether to compare logarithms; all values have to be positive then.
        mode: Whether lower or higher values are better.
        level: One less the confidence of the intervals.
    """
    differences = paired_differences(first, second, log=log)
    count = len(differences)
    wins, ties = int(np.sum(differences < 0.0 if mode == "min" else differences > 0.0)), int(np.sum(differences == 0.0))
    shift, interval = hodges_lehmann(differences, level)

    def shown(value: float) -> float:
        return float(np.exp(value)) if log else value

    whole = bool(np.all(np.isfinite(differences)))
    return Paired(
        n=count,
        log=log,
        mean=shown(float(np.mean(differences))) if whole else None,
        median=shown(_middle(np.sort(differences))),
        shift=shown(shift),
        shift_interval=ratio_interval(interval) if log else interval,
        test=signed_rank(differences),
        improvement=(wins + 0.5 * ties) / count,
        improvement_interval=improvement_interval(wins, ties, count, level),
    )


def ratio_interval(interval: Interval) -> Interval:
    """An interval of logarithms as one of ratios; an end that the data do not bound stays infinite, and is not 0."""
    low = -np.inf if interval.low == -np.inf else float(np.exp(interval.low))
    return replace(interval, low=low, high=float(np.exp(interval.high)))


def worst_value(mode: Mode) -> float:
    """Replaces the missing value of a run: worse than every other value."""
    return np.inf if mode == "min" else -np.inf


def paired_differences(first: FloatArray, second: FloatArray, *, log: bool) -> FloatArray:
    """The differences of pairs, or of their logarithms, shape (n,).

    Two runs without a value do not differ, nor do values that differ by no more than rounding.
    """
    with np.errstate(invalid="ignore"):
        if log:
            first, second = np.log(first), np.log(second)
        differences = first - second
    same = same_but_for_rounding(first, second, least=float(log))
    return np.where(np.isnan(differences) | same, 0.0, differences)


def same_but_for_rounding(first: FloatArray, second: FloatArray, *, least: float = 0.0) -> NDArray[np.bool_]:
    """Whether finite values differ by no more than rounding, of the shape of both.

    Args:
        first: The values.
        second: Those that they are compared with.
        least: The size that rounding is relative to where both values are smaller.
    """
    with np.errstate(invalid="ignore"):
        differences = np.abs(first - second)
    size = np.maximum(np.maximum(np.abs(first), np.abs(second)), least)
    return np.asarray(np.isfinite(differences) & (differences <= ROUNDING * size))


def hodges_lehmann(differences: FloatArray, level: float = LEVEL) -> tuple[float, Interval]:
    """The shift of Hodges and Lehmann with its interval: all shifts that the signed-rank test does not reject.

    The interval contains 0 exactly if the test does not reject that the shift is 0, with ties and zeros, too: an end
    at 0 is open where the test rejects 0 itself. Too few differences bound nothing.

    Args:
        differences: Differences, shape (n,), n >= 1.
        level: One less the confidence.
    """
    n, means = len(differences), _pair_means(differences)
    cut = critical_sum(n, level)
    interval = Interval(-np.inf, np.inf) if cut < 0 else Interval(float(means[cut]), float(means[-1 - cut]))
    if cut >= 0 and len(np.unique(differences)) < n:
        interval = _inverted(differences, means, cut, level)
    if n <= MOST_EXACT and len(np.unique(np.abs(differences))) == n and np.all(differences):
        return _middle(means), interval  # neither ties nor zeros: test and interval agree as they are
    return _middle(means), _agreeing(interval, signed_rank(differences), level)


def hodges_lehmann_shift(differences: FloatArray) -> float:
    """The shift of Hodges and Lehmann without its interval.

    Args:
        differences: Differences, shape (n,), n >= 1.
    """
    return _middle(_pair_means(differences))


def _pair_means(differences: FloatArray) -> FloatArray:
    """The means of all pairs of differences, each with itself, too, increasing, shape (n (n + 1) / 2,)."""
    rows, columns = np.triu_indices(len(differences))
    with np.errstate(invalid="ignore"):
        # Halves are taken first, so that no sum overflows.
        means = 0.5 * differences[rows] + 0.5 * differences[columns]
    return np.sort(np.where(np.isnan(means), 0.0, means))


def _inverted(differences: FloatArray, means: FloatArray, cut: int, level: float) -> Interval:
    """The shifts that the test with its tied distribution does not reject, as a closed interval.

    The p value is constant between two neighbouring means, and has a separate value at each of them; it grows towards
    the middle. The search begins where the ends would be without ties.

    Args:
        differences: Differences, some of them equal, shape (n,).
        means: The means of all two differences, increasing, shape (k,).
        cut: How many means the interval would leave out at either end, if there were no ties.
        level: One less the confidence.
    """
    ends = float(means[cut]), float(means[-1 - cut])
    if not np.all(np.isfinite(ends)):
        return Interval(*ends)
    places = np.unique(means[np.isfinite(means)])
    between = 0.5 * (places[:-1] + places[1:])
    # All shifts to be tried: below all means, at one, between two, at the next, ..., above all.
    tried = np.empty(2 * len(places) + 1)
    tried[0], tried[-1] = places[0] - max(1.0, abs(places[0])), places[-1] + max(1.0, abs(places[-1]))
    tried[1::2], tried[2:-1:2] = places, between
    edges = np.concatenate([[-np.inf], np.repeat(places, 2), [np.inf]])

    def outermost(place: int, step: int) -> int:
        """The last shift in a direction that is accepted."""
        while signed_rank(differences - tried[place]).p <= level:
            place -= step
        while 0 <= place + step < len(tried) and signed_rank(differences - tried[place + step]).p > level:
            place += step
        return place

    low = outermost(1 + 2 * int(np.searchsorted(places, ends[0])), -1)
    high = outermost(1 + 2 * int(np.searchsorted(places, ends[1])), 1)
    return Interval(float(edges[low]), float(edges[high + 1]))


def _agreeing(interval: Interval, test: SignedRank, level: float) -> Interval:
    """The interval, such that it contains 0 exactly if the test does not reject 0."""
    if test.p > level:
        return Interval(min(interval.low, 0.0), max(interval.high, 0.0))
    if not interval.low <= 0.0 <= interval.high:
        return interval
    return Interval(0.0, interval.high, open_low=True) if test.lead > 0 else Interval(interval.low, 0.0, open_high=True)


def improvement_interval(wins: int, ties: int, n: int, level: float = LEVEL) -> Interval:
    """The interval of a probability of improvement, ties counted half: Wilson's score interval (1927) with ties.

    A pair scores 1, 1/2 or 0; with a share t of ties the score has the variance p (1 - p) - t / 4. The ends are the p
    at which the mean score is as many standard errors away as the level asks for. The share of ties is taken a little
    smaller than observed, as if one more pair had been without a tie: so some width is left where all pairs are tied.

    Args:
        wins: How many pairs the first wins.
        ties: How many are tied.
        n: How many pairs there are.
        level: One less the confidence.
    """
    square = float(norm.isf(level / 2.0)) ** 2
    part, share = square / n, ties / (n + 1.0)
    centre = (wins + 0.5 * ties) / n
    half = np.sqrt(max(part * (4.0 * centre * (1.0 - centre) - share) + part**2 * (1.0 - share), 0.0))
    ends = [(2.0 * centre + part + sign * half) / (2.0 * (1.0 + part)) for sign in (-1.0, 1.0)]
    return Interval(max(float(ends[0]), 0.0), min(float(ends[1]), 1.0))


def holm(values: Sequence[float]) -> list[float]:
    """P values adjusted by Holm's step-down procedure, in the order given."""
    count = len(values)
    order = np.argsort(values, kind="stable")
    factors = np.arange(count, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(np.asarray(values, dtype=float)[order] * factors), 1.0)
    adjusted = np.empty(count)
    adjusted[order] = stepped
    return [float(value) for value in adjusted]


def _middle(ordered: FloatArray) -> float:
    """The median of ordered values, some of which may be infinite."""
    low, high = float(ordered[(len(ordered) - 1) // 2]), float(ordered[len(ordered) // 2])
    return 0.5 * low + 0.5 * high if np.isfinite(low) or low == high or np.isfinite(high) else 0.0
