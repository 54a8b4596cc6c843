"""The levels of a group-sequential test: interim analyses of a growing number of seeds, with a controlled error rate.

The interim analyses are fixed in advance. Each tests at its own level, such that the type I error rate over all of them
is at most the overall level. A spending function (Lan and DeMets 1983) gives the part of the level that may be spent up
to an analysis; the levels follow from it by the recursive integration of Armitage, McPherson and Rowe (1969) for a
statistic with independent normal increments, which the signed-rank statistic is close to from six pairs on.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from hpoctl.analysis.power import FEWEST
from hpoctl.core.protocols import FloatArray

Spending = Callable[[FloatArray, float], FloatArray]

SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
"""The interim analyses, as shares of the largest number of seeds."""

INFLATION = 1.05
"""The largest number of seeds, relative to the seeds of one test with the same power; on average fewer are run."""

NODES = 120
"""Points of the integration over the undecided region; more points change no significant digit."""

TINY = 1e-13
FAR = 9.0
"""Standard deviations beyond which the probability is below any level."""


def planned_looks(most: int) -> tuple[int, ...]:
    """The numbers of seeds of the interim analyses, six or more, up to the largest number of seeds.

    The first ones are close to one another: they find large differences.
    """
    return tuple(sorted({max(int(np.ceil(share * most - 1e-9)), FEWEST) for share in SHARES}))


def spending(shares: FloatArray, level: float) -> FloatArray:
    """The part of the level that may be spent up to a share of all information: its square (Kim and DeMets 1987).

    O'Brien and Fleming's kind spends less at first and needs more seeds where differences are large; Pocock's spends
    more and misses more of the small ones.
    """
    return np.asarray(level * shares**2)


@cache
def look_levels(looks: tuple[int, ...], level: float, spend: Spending = spending) -> tuple[float, ...]:
    """The level of each interim analysis: a two-sided p value at or below it decides.

    Args:
        looks: The numbers of pairs, increasing.
        level: The type I error rate over all interim analyses.
        spend: The part of the level that may be spent up to a share of all information.
    """
    shares = _information(looks)
    spent = np.diff(spend(shares, level), prepend=0.0)
    levels: list[float] = []
    # Where the sum is that has not left the region yet, and how likely.
    ends: FloatArray = np.zeros(1)
    weights: FloatArray = np.ones(1)
    before = 0.0
    for share, part in zip(shares, spent, strict=True):
        bound = _bound(ends, weights, float(np.sqrt(share - before)), float(part))
        levels.append(0.0 if np.isinf(bound) else float(2.0 * ndtr(-bound / np.sqrt(share))))
        ends, weights = _advanced(ends, weights, before, share, bound)
        before = share
    return tuple(levels)


@cache
def median_unbiased(looks: tuple[int, ...], levels: tuple[float, ...], last: int, z: float) -> float:
    """The median-unbiased estimate of an effect after interim analyses, by the estimate of the last one alone.

    After an early stop that one is too large on average, as large estimates are what stops. Outcomes are ordered by
    the analysis that stops, earlier ones as more extreme (Tsiatis, Rosner and Mehta 1984); the estimate is the effect
    with which half of all outcomes would be more extreme than the observed one.

    Args:
        looks: The numbers of pairs of all interim analyses, increasing.
        levels: Their levels.
        last: The place of the analysis that stopped, or of the last one so far.
        z: Its standardised statistic, positive.
    """
    shares = _information(looks)
    alone = z / float(np.sqrt(shares[last]))
    if alone == 0.0:
        return 1.0

    def excess(drift: float) -> float:
        """The probability of a more extreme outcome, less one half."""
        ends: FloatArray = np.zeros(1)
        weights: FloatArray = np.ones(1)
        before, above = 0.0, 0.0
        for place, share in enumerate(shares[: last + 1]):
            spread, root = float(np.sqrt(share - before)), float(np.sqrt(share))
            bound = FAR * root if levels[place] == 0.0 else -float(ndtri(levels[place] / 2.0)) * root
            centre = ends + drift * (share - before)
            edge = z * root if place == last else bound
            above += float(weights @ ndtr((centre - edge) / spread))
            if place < last:
                ends, weights = _advanced(ends, weights, before, share, bound, drift)
            before = share
        return above - 0.5

    return float(brentq(excess, alone - 12.0, alone + 12.0, xtol=1e-6)) / alone


def most_seeds(needed: int, questions: int, level: float) -> int:
    """The largest number of seeds of interim analyses with the power of one test, rounded up to tens.

    Args:
        needed: The number of seeds of one test at the whole level, with a power of 80 %.
        questions: How many questions share the level.
        level: The level.
    """
    one, shared = ndtri([1.0 - level / 2.0, 1.0 - level / (2.0 * questions)])
    grown = INFLATION * ((shared + ndtri(0.8)) / (one + ndtri(0.8))) ** 2
    return 10 * int(np.ceil(max(grown * needed, FEWEST) / 10.0))


def _information(looks: Sequence[int]) -> FloatArray:
    """The share of all information at each interim analysis.

    Signed ranks of n and of N > n pairs have the correlation of a sum with independent increments whose variance grows
    like n (2 n + 1) / (n + 1), which is close to 2 n.
    """
    counts = np.asarray(looks, dtype=float)
    grown = counts * (2.0 * counts + 1.0) / (counts + 1.0)
    return np.asarray(grown / grown[-1])


def _advanced(
    ends: FloatArray, weights: FloatArray, before: float, share: float, bound: float, drift: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Where the sum is after an analysis at which it did not leave the region, and how likely each place is."""
    spread = float(np.sqrt(share - before))
    reach = min(bound, FAR * float(np.sqrt(share)) + abs(drift) * share)
    nodes, each = _nodes()
    here = reach * nodes
    steps = here[:, None] - ends - drift * (share - before)
    density = np.exp(-0.5 * (steps / spread) ** 2) / (spread * np.sqrt(2.0 * np.pi))
    return here, reach * each * (density @ weights)


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the Gauss-Legendre rule."""
    return np.polynomial.legendre.leggauss(NODES)


def _bound(ends: FloatArray, weights: FloatArray, spread: float, part: float) -> float:
    """What the sum has to exceed on either side, so that it does with a given chance; infinite: with none."""

    def excess(bound: float) -> float:
        return float(weights @ (ndtr((ends - bound) / spread) + ndtr((-ends - bound) / spread))) - part

    if part < TINY or excess(FAR) > 0.0:
        return float(np.inf)
    return float(brentq(excess, 0.0, FAR, xtol=1e-10))
