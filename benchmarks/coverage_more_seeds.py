"""How many more seeds: how often the proposed numbers decide, and how often their interval contains the need."""

from dataclasses import dataclass, field

import numpy as np
from coverage_shared import Draw, Generator, heavy, normal, percent, row, titles
from scipy.special import ndtri
from scipy.stats import norm

from hpoctl.analysis.power import MOST, predict_power, seeds_needed
from hpoctl.analysis.signed_rank import signed_rank

EFFECTS: dict[str, Draw] = {
    "normal": normal,
    "skewed (exponential ^ 1.5)": lambda generator, shape: generator.exponential(size=shape) ** 1.5 - PSEUDO_MEDIAN,
    "tied: normal, rounded to half deviations": lambda generator, shape: generator.normal(size=shape),
    "heavy tails, t(2)": heavy,
}
PSEUDO_MEDIAN = 0.8638
"""Of the exponential distribution to the power of 1.5, from four million pairs."""


def shifted(name: str, generator: Generator, shape: tuple[int, ...], shift: float) -> np.ndarray:
    drawn = EFFECTS[name](generator, shape) + shift
    return np.round(2.0 * drawn) / 2.0 if name.startswith("tied") else drawn


def pair_sums(name: str) -> np.ndarray:
    """Sums of two differences of a pair without a shift, increasing, two hundred thousand of them."""
    drawn = EFFECTS[name](np.random.default_rng(3), (2, 200_000))
    return np.sort(drawn[0] + drawn[1])


def shift_of(sums: np.ndarray, effect: float) -> float:
    """The shift with which P(d_i + d_j > 0) - 1/2 is the effect."""
    return -0.5 * float(sums[min(round((0.5 - effect) * len(sums)), len(sums) - 1)])


HEAD = (
    "no number",
    "decided (50 %)",
    "decided (80 %)",
    "as many as 1,000 in all: predicted",
    "decided",
    "interval (80 %)",
)


def needed(repeats: int) -> None:
    titles(
        "How many more seeds, undecided studies with effects P(d_i + d_j > 0) that are uniform on 0 to 1",
        repeats,
        "differences",
        "seeds",
        *HEAD,
        words=1,
    )
    for name in EFFECTS:
        sums = pair_sums(name)
        for count in (8, 12, 20, 40):
            generator = np.random.default_rng([count, 5])
            row(name, count, *Outcomes.of(name, count, generator.uniform(-0.5, 0.5, repeats), sums).cells())
    few = repeats // 10
    titles(
        "The same of normal differences, with other effects: normal distributions of the shift",
        few,
        "SD of shifts",
        "seeds",
        *HEAD,
        words=1,
    )
    sums = pair_sums("normal")
    for spread in (0.25, 0.5, 1.0):
        for count in (8, 12, 20, 40):
            effects = norm.cdf(np.sqrt(2.0) * np.random.default_rng([count, 6]).normal(0.0, spread, few)) - 0.5
            row(spread, count, *Outcomes.of("normal", count, effects, sums).cells())
    titles(
        "The same with one true effect: the one with which a test needs twice or four times as many seeds",
        few,
        "differences",
        "seeds",
        "needed",
        *HEAD,
        words=1,
    )
    for name in EFFECTS:
        sums = pair_sums(name)
        for count in (8, 12, 20, 40):
            for times in (2, 4):
                effect = float(ndtri(0.975) + ndtri(0.8)) / np.sqrt(3.0 * times * count)
                row(name, count, times * count, *Outcomes.of(name, count, np.full(few, effect), sums).cells())


@dataclass
class Outcomes:
    """What comes of the numbers of seeds that are proposed to undecided studies.

    Attributes:
        missing: Whether no number is given.
        half: Whether so many seeds decide that it is to happen with 50 %.
        more: The same with 80 %.
        most: Of studies without such a number, the predicted probability for 1,000 seeds in all, and whether they do.
        held: Whether the interval holds the number that the true effect needs.
    """

    missing: list[bool] = field(default_factory=list)
    half: list[bool] = field(default_factory=list)
    more: list[bool] = field(default_factory=list)
    most: list[tuple[float, bool]] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, count: int, effects: np.ndarray, sums: np.ndarray) -> "Outcomes":
        generator, found = np.random.default_rng([count, len(name)]), cls()
        for effect in effects:
            whole = shifted(name, generator, (MOST,), shift_of(sums, float(effect)))
            if signed_rank(whole[:count]).p > 0.05:
                found.add(whole, count, float(effect))
        return found

    def add(self, whole: np.ndarray, count: int, effect: float) -> None:
        found = predict_power(whole[:count])
        self.missing.append(found.more is None)
        if found.contradicts or found.predictive is None:
            return
        for more, decided in ((found.half, self.half), (found.more, self.more)):
            if more is not None:
                decided.append(signed_rank(whole[: count + more]).p <= 0.05)
        if found.more is None:
            self.most.append((found.predictive, signed_rank(whole).p <= 0.05))
        truth = seeds_needed(effect) or MOST + 1
        low, high = (MOST - count + 1 if end is None else end for end in found.interval)
        self.held.append(low <= max(truth - count, 0) <= high)

    def cells(self) -> list[str]:
        predicted, decided = zip(*self.most, strict=True) if self.most else ((), ())
        lists = (self.missing, self.half, self.more, predicted, decided, self.held)
        return [percent(float(np.mean(each))) if len(each) else "-" for each in lists]
