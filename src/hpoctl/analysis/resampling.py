"""Bootstrap samples over benchmarks and seeds, as weights: how often each seed of each benchmark is drawn."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import ndtr, stdtrit

from hpoctl.analysis.paired import LEVEL, Interval
from hpoctl.core.protocols import FloatArray, IntArray

REPEATS = 2000
"""How many bootstrap samples there are."""

SEED = 20231
Statistic = Callable[[Sequence[IntArray]], FloatArray]
"""A number for each method from weights of each benchmark's seeds, shape (repeats, seeds) each: (repeats, methods)."""


def intervals(
    seeds: Sequence[Sequence[int]],
    statistic: Statistic,
    *,
    benchmarks: bool,
    repeats: int = REPEATS,
    level: float = LEVEL,
) -> list[Interval]:
    """Expanded percentile intervals of a statistic, one for each method.

    Seeds are drawn for all methods and all benchmarks together: a seed has the same random numbers everywhere, so its
    results depend on each other.

    Args:
        seeds: The seeds of each benchmark.
        statistic: The statistic.
        benchmarks: Whether benchmarks are drawn, too: then the interval is about benchmarks like these.
        repeats: How many samples are drawn.
        level: One less the confidence.
    """
    weights = bootstrap_weights(seeds, benchmarks=benchmarks, repeats=repeats)
    tail = expanded_tail(len(seeds) if benchmarks else min(map(len, seeds)), level)
    ends = np.quantile(statistic(weights), [tail, 1.0 - tail], axis=0)
    return [Interval(float(low), float(high)) for low, high in ends.T]


def bootstrap_weights(seeds: Sequence[Sequence[int]], *, benchmarks: bool, repeats: int = REPEATS) -> list[IntArray]:
    """How often each seed of each benchmark counts in each sample, shape (repeats, seeds) each.

    Args:
        seeds: The seeds of each benchmark.
        benchmarks: Whether benchmarks are drawn, too.
        repeats: How many samples are drawn.
    """
    generator = np.random.default_rng(SEED)
    weights = drawn_seeds(seeds, repeats, generator)
    if not benchmarks:
        return weights
    drawn = generator.multinomial(len(seeds), np.full(len(seeds), 1.0 / len(seeds)), size=repeats)
    return [own * drawn[:, [place]] for place, own in enumerate(weights)]


def expanded_tail(units: int, level: float) -> float:
    """What share of bootstrap samples lies outside of each end of an interval, 0 for one unit.

    The percentiles at level / 2 are too close together where few units are drawn: the variance of a sample is by 1 / n
    too small, and its estimate is uncertain, as in a t interval. Both are made up for (the expanded percentiles of
    Hesterberg 2015).

    Args:
        units: How many seeds or benchmarks are drawn.
        level: One less the confidence.
    """
    if units < 2:
        return 0.0
    return float(ndtr(np.sqrt(units / (units - 1.0)) * stdtrit(units - 1.0, level / 2.0)))


def drawn_seeds(seeds: Sequence[Sequence[int]], repeats: int, generator: np.random.Generator) -> list[IntArray]:
    """How often each seed of each benchmark is drawn in each sample, shape (repeats, seeds) each.

    Seeds are drawn one after the other from those of all benchmarks, and each benchmark takes the first n that it has,
    n being the number of its seeds. So its sample is an ordinary bootstrap sample, benchmarks with the same seeds have
    the same sample, and those without a common seed have independent ones.

    Args:
        seeds: The seeds of each benchmark, each once.
        repeats: How many samples are drawn.
        generator: Draws them.
    """
    every = sorted(set().union(*seeds))
    sets = dict.fromkeys(tuple(own) for own in seeds)
    members = {own: np.isin(every, own) for own in sets}
    draws = np.empty((repeats, 0), dtype=np.int64)
    while any(np.min(np.sum(has[draws], axis=1)) < len(own) for own, has in members.items()):
        draws = np.concatenate([draws, generator.integers(len(every), size=(repeats, len(every)))], axis=1)
    cells = np.arange(repeats)[:, None] * len(every) + draws
    counts = {}
    for own, has in members.items():
        taken = has[draws] & (np.cumsum(has[draws], axis=1) <= len(own))
        times = np.bincount(cells[taken], minlength=repeats * len(every)).reshape(repeats, len(every))
        counts[own] = times[:, np.searchsorted(every, own)]
    return [counts[tuple(own)] for own in seeds]


def weighted_middle_means(values: FloatArray, weights: IntArray) -> FloatArray:
    """The interquartile mean of each sample, shape (repeats,); of n values, floor(n / 4) at either end do not count.

    Args:
        values: The values, shape (n,).
        weights: How often each is drawn, shape (repeats, n).
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[:, order], axis=1)
    total = reached[:, -1:]
    cut = total // 4
    within = np.asarray(np.diff(np.clip(reached, cut, total - cut), axis=1, prepend=cut), dtype=float)
    return np.asarray(within @ values[order] / (total - 2 * cut)[:, 0])
