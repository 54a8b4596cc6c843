"""Two methods on one benchmark, paired by seed: how much they differ, and whether it can be chance.

Everything rests on the differences of the pairs, or on the logarithms of their ratios. The test is the signed-rank test
with its exact distribution, in which each difference could as well have had the other sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import betaincinv
from scipy.stats import norm, rankdata

from hpoctl.core.protocols import FloatArray, IntArray

LEVEL = 0.05
MOST_EXACT = 200
"""Up to so many pairs the distribution of the signed ranks is computed, beyond it is taken for normal."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of confidence; an end that the data do not bound is infinite."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SignedRank:
    """The signed-rank test of differences.

    Attributes:
        p: The two-sided p value.
        smallest_p: The smallest p value that so many differences can have.
        lead: 1 if the ranks of the positive differences outweigh, -1 if those of the negative ones do, else 0.
        zeros: How many differences are zero.
        ties: How many differences other than zero are as large as another one.
        exact: Whether the p value is exact, or from the normal distribution.
    """

    p: float
    smallest_p: float
    lead: int
    zeros: int
    ties: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Paired:
    """What pairs of values (a, b) say about a beside b.

    Attributes:
        n: How many pairs there are.
        log: Whether `mean`, `median` and `shift` are ratios a / b, not differences a - b.
        mean: The mean difference, or the geometric mean of the ratios.
        median: The median difference or ratio.
        shift: The shift of Hodges and Lehmann, which is the median of the means of all two differences.
        shift_interval: Its interval, from the signed-rank test.
        test: The signed-rank test.
        lower: The probability that a is lower than b, ties counted half.
        lower_interval: Its interval.
    """

    n: int
    log: bool
    mean: float
    median: float
    shift: float
    shift_interval: Interval
    test: SignedRank
    lower: float
    lower_interval: Interval


def compare_pairs(first: FloatArray, second: FloatArray, *, log: bool, level: float = LEVEL) -> Paired:
    """What pairs of values say about the first beside the second.

    Args:
        first: Finite values, shape (n,), n >= 1.
        second: Those paired with them, shape (n,).
        log: Whether to compare logarithms; all values have to be positive then.
        level: One less the confidence of the intervals.
    """
    differences = paired_differences(first, second, log=log)
    wins = float(np.sum(differences < 0.0) + 0.5 * np.sum(differences == 0.0))
    shift, interval = hodges_lehmann(differences, level)

    def shown(value: float) -> float:
        return float(np.exp(value)) if log else value

    return Paired(
        n=len(differences),
        log=log,
        mean=shown(float(np.mean(differences))),
        median=shown(float(np.median(differences))),
        shift=shown(shift),
        shift_interval=Interval(shown(interval.low), shown(interval.high)),
        test=signed_rank(differences),
        lower=wins / len(differences),
        lower_interval=binomial_interval(wins, len(differences), level),
    )


def paired_differences(first: FloatArray, second: FloatArray, *, log: bool) -> FloatArray:
    """The differences of pairs, or of their logarithms, shape (n,)."""
    return np.asarray(np.log(first) - np.log(second) if log else first - second)


def signed_rank(differences: FloatArray) -> SignedRank:
    """The signed-rank test of Wilcoxon, zeros ranked and then left out (Pratt), ties with their mean rank.

    Up to 200 differences the p value is exact, ties and zeros or not: it comes from the sums of positive ranks over all
    2^n choices of signs.

    Args:
        differences: Finite differences, shape (n,).
    """
    zero = differences == 0.0
    ranks = rankdata(np.abs(differences))[~zero]
    positive = float(np.sum(ranks[differences[~zero] > 0.0]))
    excess = 2.0 * positive - float(np.sum(ranks))
    exact = len(differences) <= MOST_EXACT
    if exact:
        chances = _sums(np.round(2.0 * ranks).astype(np.int64))
        place = round(2.0 * min(positive, float(np.sum(ranks)) - positive))
        p = 2.0 * float(np.sum(chances[: place + 1]))
    else:
        spread = float(np.sqrt(np.sum(ranks**2)))  # of the excess: a sum of ranks with random signs
        p = 2.0 * float(norm.sf(max(abs(excess) - 1.0, 0.0) / spread)) if spread > 0.0 else 1.0
    sizes = np.unique(ranks, return_counts=True)[1]
    return SignedRank(
        p=min(p, 1.0),
        smallest_p=min(2.0 * 0.5 ** len(differences), 1.0),
        lead=int(np.sign(excess)),
        zeros=int(np.sum(zero)),
        ties=int(np.sum(sizes[sizes > 1])),
        exact=exact,
    )


def hodges_lehmann(differences: FloatArray, level: float = LEVEL) -> tuple[float, Interval]:
    """The shift of Hodges and Lehmann with its interval: all shifts that the signed-rank test does not reject.

    With ties its coverage is not below the nominal one (Noether 1967). Too few differences bound nothing.

    Args:
        differences: Finite differences, shape (n,), n >= 1.
        level: One less the confidence.
    """
    n = len(differences)
    rows, columns = np.triu_indices(n)
    # Halves are taken first, so that no sum overflows.
    means = np.sort(0.5 * differences[rows] + 0.5 * differences[columns])
    cut = _critical_sum(n, level)
    interval = Interval(-np.inf, np.inf) if cut < 0 else Interval(float(means[cut]), float(means[-1 - cut]))
    return float(np.median(means)), interval


def binomial_interval(wins: float, n: int, level: float = LEVEL) -> Interval:
    """The interval of Clopper and Pearson for a probability; a tie is half a win, which makes it wider than needed."""
    low = float(betaincinv(wins, n - wins + 1.0, level / 2.0)) if wins > 0 else 0.0
    high = float(betaincinv(wins + 1.0, n - wins, 1.0 - level / 2.0)) if wins < n else 1.0
    return Interval(low, high)


def holm(values: Sequence[float]) -> list[float]:
    """P values adjusted by Holm's step-down procedure, in the order given."""
    count = len(values)
    order = np.argsort(values, kind="stable")
    factors = np.arange(count, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(np.asarray(values, dtype=float)[order] * factors), 1.0)
    adjusted = np.empty(count)
    adjusted[order] = stepped
    return [float(value) for value in adjusted]


def _sums(ranks: IntArray) -> FloatArray:
    """The probability of each sum of a random half of whole numbers, shape (sum + 1,)."""
    chances = np.zeros(int(np.sum(ranks)) + 1)
    chances[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: len(chances) - rank]
        chances = 0.5 * (chances + shifted)
    return chances


@cache
def _critical_sum(n: int, level: float) -> int:
    """The largest sum of ranks that the test rejects on one side, without ties; -1: it rejects none."""
    if n > MOST_EXACT:
        spread = np.sqrt(n * (n + 1.0) * (2.0 * n + 1.0) / 24.0)
        return int(np.floor(n * (n + 1.0) / 4.0 - 0.5 - norm.isf(level / 2.0) * spread))
    return int(np.searchsorted(np.cumsum(_sums(np.arange(1, n + 1))), level / 2.0, side="right")) - 1
