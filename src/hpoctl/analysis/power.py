"""What a number of seeds can detect, and how many more would decide.

By the efficiency of the signed-rank test: on normal differences it needs pi / 3 times as many pairs as the paired
t-test, whose power is known. With heavier tails it needs fewer than the t-test, and these numbers are on the safe side.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

from hpoctl.analysis.paired import LEVEL
from hpoctl.core.protocols import FloatArray

POWER = 0.8
EFFICIENCY = 3.0 / np.pi
FEWEST = 6
"""With fewer pairs no signed-rank test reaches the level of 5 %."""

MOST = 1000
"""More seeds than this in all are not worth a number."""

BOOTSTRAP_LEVEL = 0.2
"""One less the confidence of the interval of seeds. At 95 % an undecided pair would hardly have an upper end: no
difference at all is among what its data allow."""


@dataclass(frozen=True, slots=True)
class MoreSeeds:
    """How many more seeds would decide.

    Attributes:
        n: Pairs that there are.
        detectable: The difference that so many pairs detect, in the unit of the differences; None: none, however large.
        more: How many more are needed for the power asked for, if the difference is what is observed; None: more than
            `MOST` in all.
        interval: Its bootstrap interval of 80 %; None as in `more`.
    """

    n: int
    detectable: float | None
    more: int | None
    interval: tuple[int | None, int | None]


def more_seeds(
    differences: FloatArray, generator: np.random.Generator, *, level: float = LEVEL, power: float = POWER
) -> MoreSeeds:
    """What the present differences can detect, and how many more would decide.

    Args:
        differences: Paired differences, shape (n,), n >= 2; fewer than six say little.
        generator: Where bootstrap draws come from.
        level: The level of the test.
        power: The chance to be detected.
    """
    n = len(differences)
    spread = float(np.std(differences, ddof=1))
    effect = abs(_effects(differences[None])[0])
    drawn = np.abs(_effects(differences[generator.integers(n, size=(2000, n))]))
    ends = [1.0 - BOOTSTRAP_LEVEL / 2.0, BOOTSTRAP_LEVEL / 2.0]
    strong, weak = np.quantile(drawn, ends, method="inverted_cdf")  # some may be infinite: nothing between two of them
    least = detectable_effect(n, level=level, power=power)
    return MoreSeeds(
        n=n,
        detectable=None if least is None else least * spread,
        more=_less(seeds_needed(effect, level=level, power=power), n),
        interval=(
            _less(seeds_needed(float(strong), level=level, power=power), n),
            _less(seeds_needed(float(weak), level=level, power=power), n),
        ),
    )


def power_of(effect: float, n: int, *, level: float = LEVEL) -> float:
    """The chance that the two-sided signed-rank test of n pairs rejects.

    Args:
        effect: The mean difference, in standard deviations of the differences.
        n: The number of pairs.
        level: The level of the test.
    """
    if n < FEWEST:
        return 0.0
    if not np.isfinite(effect):
        return 1.0
    pairs = EFFICIENCY * n
    cut = float(stdtrit(pairs - 1.0, 1.0 - level / 2.0))
    centre = abs(effect) * np.sqrt(pairs)
    if centre > 30.0:  # the noncentral distribution loses its digits out there, and the answer is known
        return 1.0
    wrong_side = nctdtr(pairs - 1.0, centre, -cut) if centre < 5.0 else 0.0
    return float(1.0 - nctdtr(pairs - 1.0, centre, cut) + wrong_side)


@cache
def detectable_effect(n: int, *, level: float = LEVEL, power: float = POWER) -> float | None:
    """The effect, in standard deviations, that n pairs detect with a given power; None: they can detect nothing."""
    if n < FEWEST:
        return None
    return float(brentq(lambda effect: power_of(effect, n, level=level) - power, 0.0, 20.0, xtol=1e-6))


def seeds_needed(effect: float, *, level: float = LEVEL, power: float = POWER) -> int | None:
    """The smallest number of pairs that detects an effect with a given power; None: more than `MOST`."""
    if power_of(effect, MOST, level=level) < power:
        return None
    low, high = FEWEST - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(effect, middle, level=level) >= power else (middle, high)
    return high


def _effects(differences: FloatArray) -> FloatArray:
    """Mean over standard deviation of each row, shape (rows,); no spread: infinite, or 0 where all is zero."""
    mean, spread = np.mean(differences, axis=1), np.std(differences, axis=1, ddof=1)
    without = np.where(mean == 0.0, 0.0, np.inf)
    return np.asarray(np.divide(mean, spread, out=without, where=spread > 0.0))


def _less(needed: int | None, n: int) -> int | None:
    return None if needed is None else max(needed - n, 0)
