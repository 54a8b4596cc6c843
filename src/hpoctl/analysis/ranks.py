"""Methods over benchmarks by their ranks: Friedman's test by permutation, and Nemenyi's critical difference.

The critical difference belongs to a picture. It is no verdict: whether it separates two methods depends on
which others are compared (Benavoli, Corani and Mangili 2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.stats import rankdata, studentized_range

from hpoctl.analysis.paired import LEVEL
from hpoctl.core.protocols import FloatArray, IntArray

MOST_EXACT = 100_000
"""The largest number of rank sums over permutations for which Friedman's test is exact."""

PERMUTATIONS = 99_999
"""How many permutations stand for all of them where these are too many."""

FIRST = 1999
"""How many permutations are drawn first."""

LARGE = 0.2
"""A p value above it is known well enough from the first permutations."""

SEED = 20231
"""Where permutations come from."""

MOST_RANKS = 50_000_000
"""So many ranks at most are permuted in all; of very many methods or benchmarks there are fewer permutations."""

BATCH = 4_000_000
"""So many of them at once."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Mean ranks of methods over blocks.

    Attributes:
        mean_ranks: The mean rank of each method, 1 is the best, shape (methods,).
        blocks: How many blocks there are.
        friedman_p: The p value of Friedman's test by permutation; None: it needs two blocks and three methods.
        friedman_exact: Whether all permutations count, or a random sample of `PERMUTATIONS`.
        critical_difference: Nemenyi's test does not separate mean ranks that differ by less.
        separated: How many pairs of methods differ by more.
    """

    mean_ranks: tuple[float, ...]
    blocks: int
    friedman_p: float | None
    friedman_exact: bool
    critical_difference: float
    separated: int


def mean_ranks(losses: FloatArray, level: float = LEVEL) -> Ranks:
    """Mean ranks with the tests that go with them.

    Args:
        losses: What is ranked, lower is better, shape (blocks, methods), at least two methods; ties share a mean rank.
        level: The level of the critical difference.
    """
    blocks, methods = losses.shape
    ranks = rankdata(losses, axis=1)
    means = np.mean(ranks, axis=0)
    p, exact = friedman(ranks) if blocks >= 2 and methods >= 3 else (None, True)
    difference = critical_difference(methods, blocks, level)
    apart = int(np.sum(np.abs(means[:, None] - means) >= difference) // 2)
    return Ranks(tuple(means.tolist()), blocks, p, exact, difference, apart)


def friedman(ranks: FloatArray, permutations_at_most: int = PERMUTATIONS) -> tuple[float, bool]:
    """The p value of Friedman's test by permutation, and whether it is exact.

    Where methods do not differ, all orders of the ranks of a block are equally likely, with ties, too. The statistic is
    the sum of the squared rank sums, of which Friedman's chi square is an increasing function.

    Args:
        ranks: Ranks within each block, shape (blocks, methods).
        permutations_at_most: How many random permutations stand for all of them, where these are too many.
    """
    doubled = np.round(2.0 * ranks).astype(np.int64)
    observed = int(np.sum(np.sum(doubled, axis=0) ** 2))
    sums: IntArray = np.zeros((1, ranks.shape[1]), dtype=np.int64)
    chances: FloatArray = np.ones(1)
    # Sums as the digits of one whole number, of which the distinct ones are found faster than of rows.
    base = int(np.sum(np.max(doubled, axis=1))) + 1
    if base ** ranks.shape[1] >= 2**63:
        return _sampled(doubled, observed, permutations_at_most), False
    digits = base ** np.arange(ranks.shape[1])
    for block in doubled:
        orders = np.array(list(permutations(block.tolist()))) if ranks.shape[1] <= 6 else None
        if orders is None or len(sums) * len(orders) > MOST_EXACT:
            return _sampled(doubled, observed, permutations_at_most), False
        # The order of methods in a sum does not matter to what can still be reached: sums are kept sorted.
        reached = np.sort((sums[:, None] + orders).reshape(-1, ranks.shape[1]), axis=1)
        _, first, places = np.unique(reached @ digits, return_index=True, return_inverse=True)
        sums = reached[first]
        weights = np.repeat(chances / len(orders), len(orders))
        chances = np.bincount(np.ravel(places), weights=weights).astype(float)
    return min(float(np.sum(chances[np.sum(sums**2, axis=1) >= observed])), 1.0), True


def _sampled(doubled: IntArray, observed: int, most: int) -> float:
    """The p value from random permutations, the same ones each time; the observed order is one of them.

    Where a first batch says that it is large, no more are drawn (Besag and Clifford 1991).
    """
    generator = np.random.default_rng(SEED)
    most = min(most, max(MOST_RANKS // doubled.size, FIRST))
    reached, drawn = 1, 0
    while drawn < most and not (drawn >= FIRST and reached > LARGE * drawn):
        batch = FIRST if drawn == 0 else max(BATCH // doubled.size, 1)
        count = min(most - drawn, batch)
        orders = generator.permuted(np.broadcast_to(doubled, (count, *doubled.shape)), axis=2)
        reached += int(np.sum(np.sum(np.sum(orders, axis=1) ** 2, axis=1) >= observed))
        drawn += count
    return reached / (drawn + 1)


def critical_difference(methods: int, blocks: int, level: float = LEVEL) -> float:
    """Nemenyi's critical difference of mean ranks."""
    quantile = float(studentized_range.ppf(1.0 - level, methods, np.inf)) / np.sqrt(2.0)
    return float(quantile * np.sqrt(methods * (methods + 1.0) / (6.0 * blocks)))


def together(increasing: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """The largest runs of methods that cannot be told apart, as the places of the first and the last one.

    Args:
        increasing: Mean ranks, increasing.
        difference: The critical difference; ranks that differ by less cannot be told apart.
    """
    runs: list[tuple[int, int]] = []
    for first, rank in enumerate(increasing):
        last = max(place for place, other in enumerate(increasing) if other - rank < difference)
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs
