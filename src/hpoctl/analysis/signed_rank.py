"""The signed-rank test of Wilcoxon with its exact distribution: each difference could as well have the other sign."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import norm, rankdata

from hpoctl.core.protocols import FloatArray, IntArray

MOST_EXACT = 200
"""The largest number of pairs with the exact distribution of signed ranks; beyond, the normal approximation."""


@dataclass(frozen=True, slots=True)
class SignedRank:
    """The signed-rank test of differences.

    Attributes:
        p: The two-sided p value.
        smallest_p: The smallest p value for this number of differences.
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


def signed_rank(differences: FloatArray) -> SignedRank:
    """The signed-rank test of Wilcoxon, zeros ranked and then left out (Pratt), ties with their mean rank.

    Up to 200 differences the p value is exact, ties and zeros or not: it comes from the sums of positive ranks over all
    2^n choices of signs.

    Args:
        differences: Differences, shape (n,).
    """
    zero = differences == 0.0
    ranks = rankdata(np.abs(differences))[~zero]
    positive = float(np.sum(ranks[differences[~zero] > 0.0]))
    excess = 2.0 * positive - float(np.sum(ranks))
    exact = len(differences) <= MOST_EXACT
    sizes = np.unique(ranks, return_counts=True)[1]
    if exact:
        less = min(positive, float(np.sum(ranks)) - positive)
        if len(sizes) == len(differences):  # neither ties nor zeros
            p = 2.0 * float(_untied(len(differences))[round(less)])
        else:
            p = sign_flip_test(np.sign(differences[~zero]) * ranks).p
    else:
        spread = float(np.sqrt(np.sum(ranks**2)))  # of the excess: a sum of ranks with random signs
        p = 2.0 * float(norm.sf(max(abs(excess) - 1.0, 0.0) / spread)) if spread > 0.0 else 1.0
    return SignedRank(
        p=min(p, 1.0),
        smallest_p=min(2.0 * 0.5 ** len(differences), 1.0),
        lead=int(np.sign(excess)),
        zeros=int(np.sum(zero)),
        ties=int(np.sum(sizes[sizes > 1])),
        exact=exact,
    )


def sign_flip_test(sums: FloatArray) -> SignedRank:
    """The exact test of a sum of which each part could as well have the other sign.

    Args:
        sums: Parts of the sum, such as a seed's signed ranks added up, each a multiple of 1/2, shape (n,).
    """
    sizes = np.round(2.0 * np.abs(sums)).astype(np.int64)
    chances = sums_of_signs(sizes)
    excess = float(np.sum(sums))
    less = (int(np.sum(sizes)) - round(2.0 * abs(excess))) // 2
    p = min(2.0 * float(np.sum(chances[: less + 1])), 1.0)
    smallest = min(2.0 * 0.5 ** len(sums), 1.0)
    return SignedRank(p, smallest, int(np.sign(excess)), int(np.sum(sums == 0.0)), 0, exact=True)


def sums_of_signs(ranks: IntArray) -> FloatArray:
    """The probability of each sum of a random half of whole numbers, shape (sum + 1,)."""
    chances = np.zeros(int(np.sum(ranks)) + 1)
    chances[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: len(chances) - rank]
        chances = 0.5 * (chances + shifted)
    return chances


@cache
def _untied(n: int) -> FloatArray:
    """The probability that a random sum of the ranks 1 to n is at most each number, shape (sum + 1,)."""
    return np.cumsum(sums_of_signs(np.arange(1, n + 1)))


@cache
def critical_sum(n: int, level: float) -> int:
    """The largest sum of ranks that the test rejects on one side, without ties; -1: it rejects none."""
    if n > MOST_EXACT:
        spread = np.sqrt(n * (n + 1.0) * (2.0 * n + 1.0) / 24.0)
        return int(np.floor(n * (n + 1.0) / 4.0 - 0.5 - norm.isf(level / 2.0) * spread))
    return int(np.searchsorted(_untied(n), level / 2.0, side="right")) - 1
