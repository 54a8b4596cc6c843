"""Bootstrap samples over benchmarks and seeds, as weights: how often each seed of each benchmark is drawn."""

from collections.abc import Callable, Sequence

import numpy as np

from hpoctl.analysis.paired import LEVEL, Interval
from hpoctl.core.protocols import FloatArray, IntArray

REPEATS = 2000
"""How many bootstrap samples there are."""

SEED = 20231
Statistic = Callable[[Sequence[IntArray]], FloatArray]
"""A number for each method from weights of each benchmark's seeds, shape (repeats, seeds) each: (repeats, methods)."""


def intervals(
    counts: Sequence[int], statistic: Statistic, *, benchmarks: bool, repeats: int = REPEATS, level: float = LEVEL
) -> list[Interval]:
    """Percentile intervals of a statistic, one for each method; seeds are drawn for all methods together.

    Args:
        counts: How many seeds each benchmark has.
        statistic: The statistic.
        benchmarks: Whether benchmarks are drawn, too: then the interval is about benchmarks like these.
        repeats: How many samples are drawn.
        level: One less the confidence.
    """
    generator = np.random.default_rng(SEED)
    weights = [generator.multinomial(count, np.full(count, 1.0 / count), size=repeats) for count in counts]
    if benchmarks:
        drawn = generator.multinomial(len(counts), np.full(len(counts), 1.0 / len(counts)), size=repeats)
        weights = [own * drawn[:, [place]] for place, own in enumerate(weights)]
    ends = np.quantile(statistic(weights), [level / 2.0, 1.0 - level / 2.0], axis=0)
    return [Interval(float(low), float(high)) for low, high in ends.T]


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


def weighted_medians(values: FloatArray, weights: IntArray) -> FloatArray:
    """The median of each sample, shape (repeats,); NaN where nothing is drawn.

    Args:
        values: The values, infinite ones count, shape (n,).
        weights: How often each is drawn, shape (repeats, n).
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[:, order], axis=1)
    total = reached[:, -1:]
    low, high = (np.argmax(reached >= place, axis=1) for place in ((total + 1) // 2, total // 2 + 1))
    middle = 0.5 * values[order][low] + 0.5 * values[order][high]
    return np.where(total[:, 0] > 0, middle, np.nan)
