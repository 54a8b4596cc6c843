"""What a number of seeds can detect, and how many more would decide.

How many more seeds follows from the statistic that decides: the probability that the mean of two differences is
positive (Noether 1987). What a number of seeds detects is said in the unit of the differences: on normal ones the
signed-rank test needs pi / 3 times as many pairs as the paired t-test, whose power is known.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from hpoctl.analysis.paired import LEVEL
from hpoctl.core.protocols import FloatArray

POWER = 0.8
EFFICIENCY = 3.0 / np.pi
FEWEST = 6
"""With fewer pairs no signed-rank test reaches the level of 5 %."""

MOST = 1000
"""More seeds than this in all are not worth a number."""

SEEDS_LEVEL = 0.2
"""One less the confidence of the interval of seeds. At 95 % an undecided pair would hardly have an upper end: no
difference at all is among what its data allow."""

SPREAD = 0.3
"""The standard deviation of effects, as P(d_i + d_j > 0) - 1/2, that is expected before there are data. Predictive
power shrinks the observed effect by it: with few seeds, large effects are more often luck than true."""


@dataclass(frozen=True, slots=True)
class PowerPrediction:
    """How many more seeds would decide.

    Attributes:
        n: Pairs that there are.
        detectable: The difference that n pairs detect, in the unit of the differences; None: undefined.
        more: How many more are needed for the power asked for, if the effect is what is observed; None: more than
            `MOST` in all, or no number is given, see `contradicts`.
        interval: Its interval of 80 %; None as in `more`.
        predictive: The probability that the additional seeds decide, given these; the effect may differ from the
            observed one; None: no number is given.
        contradicts: Whether the mean and the shift differ in sign: then it is not known which method is ahead.
    """

    n: int
    detectable: float | None
    more: int | None
    interval: tuple[int | None, int | None]
    predictive: float | None
    contradicts: bool


def predict_power(differences: FloatArray, *, level: float = LEVEL, power: float = POWER) -> PowerPrediction:
    """What the present differences can detect, and how many more would decide.

    Args:
        differences: Paired differences, shape (n,), n >= 2; fewer than six say little.
        level: The level of the test.
        power: The power of the test.
    """
    n = len(differences)
    least = detectable_effect(n, level=level, power=power)
    finite = bool(np.all(np.isfinite(differences)))
    scale = float(np.std(differences, ddof=1)) if finite else 0.0
    detectable = least * scale if least is not None and scale > 1e-12 * float(np.max(np.abs(differences))) else None
    effect = rank_effect(differences)
    if finite and float(np.mean(differences)) * effect < 0.0:
        return PowerPrediction(n, detectable, None, (None, None), None, True)
    margin = float(ndtri(1.0 - SEEDS_LEVEL / 2.0)) * _error(effect, n)
    strong, weak = min(abs(effect) + margin, 0.5), max(abs(effect) - margin, 0.0)
    more = _less(seeds_needed(effect, level=level, power=power), n)
    return PowerPrediction(
        n=n,
        detectable=detectable,
        more=more,
        interval=(
            _less(seeds_needed(strong, level=level, power=power), n),
            _less(seeds_needed(weak, level=level, power=power), n),
        ),
        predictive=None if more is None else predictive_power(effect, n, max(more, 1), level=level),
        contradicts=False,
    )


def rank_effect(differences: FloatArray) -> float:
    """P(d_i + d_j > 0) - 1/2 of two different differences, sums of zero counted half; from -1/2 to 1/2."""
    n = len(differences)
    with np.errstate(invalid="ignore"):
        signs = np.sign(differences[:, None] + differences)
    signs[np.isnan(signs)] = 0.0  # a run without a value on either side
    return float((np.sum(signs) - np.trace(signs)) / (2.0 * n * (n - 1)))


def seeds_needed(effect: float, *, level: float = LEVEL, power: float = POWER) -> int | None:
    """The number of pairs with which the signed-rank test has a power (Noether 1987); None: more than `MOST`.

    Args:
        effect: P(d_i + d_j > 0) - 1/2.
        level: The level of the two-sided test.
        power: The power.
    """
    reach = float(ndtri(1.0 - level / 2.0) + ndtri(power))
    if 3.0 * MOST * effect**2 < reach**2:
        return None
    return max(int(np.ceil(reach**2 / (3.0 * effect**2))), FEWEST)


def predictive_power(effect: float, n: int, more: int, *, level: float = LEVEL) -> float:
    """The probability that a test with more pairs decides, given those that there are, by normal approximation.

    Args:
        effect: P(d_i + d_j > 0) - 1/2 of the pairs that there are.
        n: How many these are.
        more: How many are added.
        level: The level of the two-sided test with all of them.
    """
    total, error = n + more, _error(effect, n)
    belief = SPREAD**2 / (SPREAD**2 + error**2)
    mean = (n * effect + more * effect * belief) / total
    spread = more / total * np.sqrt(belief * error**2 + _error(effect, more) ** 2)
    scale, cut = np.sqrt(3.0 * total), float(ndtri(1.0 - level / 2.0))
    return float(ndtr((scale * mean - cut) / (scale * spread)) + ndtr((-scale * mean - cut) / (scale * spread)))


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


def _error(effect: float, n: int) -> float:
    """The standard error of the effect of n pairs: exact for no effect, and smaller for larger effects."""
    return float(np.sqrt(max(1.0 - 4.0 * effect**2, 1.0 / n) / (3.0 * n)))


def _less(needed: int | None, n: int) -> int | None:
    return None if needed is None else max(needed - n, 0)
