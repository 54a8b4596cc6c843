"""What a number of seeds can detect, and how many more would decide.

How many more seeds follows from the statistic that decides, the probability that the mean of two differences is
positive, and from what is known about it: the effect may be smaller or larger than observed, so the power is averaged
over what the present seeds leave open (predictive power). What a number of seeds detects is said in the unit of the
differences: on normal ones the signed-rank test needs pi / 3 times as many pairs as the paired t-test, whose power is
known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, ndtr, ndtri, stdtrit
from scipy.stats import rankdata

from hpoctl.analysis.paired import LEVEL, hodges_lehmann_shift
from hpoctl.analysis.signed_rank import critical_sum
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

EFFECTS = np.linspace(-0.5, 0.5, 401)[1:-1]
"""Effects, as P(d_i + d_j > 0) - 1/2. Before there are data all of them are equally likely: a flat prior."""


@dataclass(frozen=True, slots=True)
class PowerPrediction:
    """How many more seeds would decide.

    Attributes:
        n: Pairs that there are.
        detectable: The difference that n pairs detect, in the unit of the differences; None: undefined.
        more: How many more decide with the probability asked for, given the present ones; None: more than `MOST` in
            all, or no number is given, see `contradicts`.
        half: How many more decide with a probability of 50 %; None as in `more`.
        predictive: The probability that these decide: `more`, or, where that is None, as many as make `MOST` in all;
            None: no number is given.
        interval: How many more a test with the power asked for needs if the effect were known: its 80 % interval, as
            the effect is not; an end is None where it is more than `MOST` in all.
        contradicts: Whether the mean and the shift differ in sign: then it is not known which method is ahead.
    """

    n: int
    detectable: float | None
    more: int | None
    half: int | None
    predictive: float | None
    interval: tuple[int | None, int | None]
    contradicts: bool


def predict_power(differences: FloatArray, *, level: float = LEVEL, power: float = POWER) -> PowerPrediction:
    """What the present differences can detect, and how many more would decide.

    Args:
        differences: Paired differences, shape (n,), n >= 2; fewer than six say little.
        level: The level of the test.
        power: The probability with which the additional seeds decide.
    """
    n = len(differences)
    least = detectable_effect(n, level=level, power=power)
    finite = bool(np.all(np.isfinite(differences)))
    scale = float(np.std(differences, ddof=1)) if finite else 0.0
    detectable = least * scale if least is not None and scale > 1e-12 * float(np.max(np.abs(differences))) else None
    effect, spread = rank_effect(differences), tied_spread(differences)
    if finite and _contradicts(effect, differences):
        return PowerPrediction(n, detectable, None, None, None, (None, None), True)

    def chance(more: int) -> float:
        return predictive_power(effect, n, more, level=level, spread=spread)

    rest = max(MOST - n, 1)
    more = _first(chance, power, rest)
    weights = np.cumsum(_fold(likely_effects(effect, n, spread=spread)))
    sizes = EFFECTS[len(EFFECTS) // 2 :]
    weak, strong = (
        float(sizes[min(int(np.searchsorted(weights, part)), len(sizes) - 1)])
        for part in (SEEDS_LEVEL / 2.0, 1.0 - SEEDS_LEVEL / 2.0)
    )
    return PowerPrediction(
        n=n,
        detectable=detectable,
        more=more,
        half=_first(chance, 0.5, rest),
        predictive=chance(rest if more is None else more),
        interval=(
            _less(seeds_needed(strong, level=level, power=power), n),
            _less(seeds_needed(weak, level=level, power=power), n),
        ),
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


def tied_spread(differences: FloatArray) -> float:
    """The variance of the signed-rank statistic by that of as many differences without ties and zeros, 0 to 1."""
    n = len(differences)
    ranks = rankdata(np.abs(differences))[differences != 0.0]
    return float(6.0 * np.sum(ranks**2) / (n * (n + 1.0) * (2.0 * n + 1.0)))


def likely_effects(effect: float, n: int, *, spread: float = 1.0) -> FloatArray:
    """The posterior probability of each of `EFFECTS`, shape (399,), with a flat prior and a normal likelihood.

    Args:
        effect: P(d_i + d_j > 0) - 1/2 of the pairs that there are.
        n: How many these are.
        spread: See `tied_spread`; 0: all differences are zero.
    """
    errors = _errors(EFFECTS, n, max(spread, 1.0 / n**3))
    logs = -0.5 * ((effect - EFFECTS) / errors) ** 2 - np.log(errors)
    found = np.exp(logs - np.max(logs))
    return np.asarray(found / np.sum(found))


def predictive_power(effect: float, n: int, more: int, *, level: float = LEVEL, spread: float = 1.0) -> float:
    """The probability that a test with more pairs decides, given those that there are, by normal approximation.

    Args:
        effect: P(d_i + d_j > 0) - 1/2 of the pairs that there are.
        n: How many these are.
        more: How many are added, one or more.
        level: The level of the two-sided test with all of them.
        spread: See `tied_spread`.
    """
    total = n + more
    least = critical_sum(total, level)
    if least < 0 or spread == 0.0:
        return 0.0
    # The effect, as a share of the sums of two differences, from which on the test rejects.
    cut = np.sqrt(spread) * (0.5 - (2.0 * least + 1.0) / (total * (total + 1.0)))
    centre = (n * effect + more * EFFECTS) / total
    errors = more / total * _errors(EFFECTS, more, spread)
    decided = ndtr((centre - cut) / errors) + ndtr((-centre - cut) / errors)
    return float(likely_effects(effect, n, spread=spread) @ decided)


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


def _errors(effects: FloatArray, n: int, spread: float) -> FloatArray:
    """The standard error of the effect of n pairs: exact for no effect and no ties, and smaller for larger effects."""
    whole = (2.0 * n - 1.0) / (6.0 * n * max(n - 1.0, 1.0))
    return np.asarray(np.sqrt(spread * whole * np.maximum(1.0 - 4.0 * effects**2, 1.0 / n)))


def _contradicts(effect: float, differences: FloatArray) -> bool:
    """Whether the mean points to another method than the shift of Hodges and Lehmann, or than the ranks."""
    mean, *others = np.sign([float(np.mean(differences)), effect, hodges_lehmann_shift(differences)])
    return any(mean * other < 0.0 for other in others)


def _first(chance: Callable[[int], float], wanted: float, most: int) -> int | None:
    """The smallest number with such a chance, which grows with the number; None: more than `most`."""
    if chance(most) < wanted:
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= wanted else (middle, high)
    return high


def _fold(weights: FloatArray) -> FloatArray:
    """The probability of each size of the effect, whatever its sign, from 0 up."""
    middle = len(weights) // 2
    folded = weights[middle:].copy()
    folded[1:] += weights[:middle][::-1]
    return folded


def _less(needed: int | None, n: int) -> int | None:
    return None if needed is None else max(needed - n, 0)
