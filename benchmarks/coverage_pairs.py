"""One pair of methods: errors and power of its tests, coverage of its intervals."""

import numpy as np
from coverage_shared import DIFFERENCES, one_sided, percent, row, share, titles, within

from hpoctl.analysis.equivalence import equivalence_p
from hpoctl.analysis.paired import LEVEL, hodges_lehmann, improvement_interval
from hpoctl.analysis.power import detectable_effect
from hpoctl.analysis.signed_rank import signed_rank

SEEDS = (6, 12, 20)


def tests(repeats: int) -> None:
    """The signed-rank test where there is no difference; its interval holds 0 exactly if it does not reject."""
    counts = (*SEEDS, 60)
    titles(
        "Signed-rank test where there is no difference: how often it rejects",
        repeats,
        "differences",
        *(f"{n} seeds" for n in counts),
    )
    for name, draw in {**DIFFERENCES, "skewed themselves, median 0 (exponential)": one_sided}.items():
        cells = []
        for count in counts:
            samples = draw(np.random.default_rng([count, len(name)]), (repeats, count))
            cells.append(share([signed_rank(sample).p <= 0.05 for sample in samples]))
        row(name, *cells)
    titles("The same with 250 pairs, where ranks are taken for normal", repeats, "differences", "250 seeds")
    for name, draw in DIFFERENCES.items():
        samples = draw(np.random.default_rng([250, len(name)]), (repeats, 250))
        row(name, share([signed_rank(sample).p <= 0.05 for sample in samples]))


def shifts(repeats: int) -> None:
    titles(
        "Interval of the shift, 95 %: how often it holds the true shift",
        repeats,
        "differences",
        "shift",
        "12 seeds",
        "20 seeds",
        words=2,
    )
    for name, draw in DIFFERENCES.items():
        for shift in (0.0, 1.0):
            cells = []
            for count in (12, 20):
                samples = draw(np.random.default_rng([count, len(name)]), (repeats, count)) + shift
                cells.append(share([hodges_lehmann(sample)[1].holds(shift) for sample in samples]))
            row(name, shift, *cells)


def improvement(repeats: int) -> None:
    titles(
        "Probability of improvement, 95 %: how often the interval holds the truth",
        repeats,
        "truth",
        "ties",
        "12 seeds",
        "20 seeds",
        "40 seeds",
        words=2,
    )
    for won, ties in ((0.5, 0.0), (0.8, 0.0), (0.95, 0.0), (0.5, 0.2), (0.8, 0.2), (0.5, 0.6), (0.9, 0.6)):
        chances = [(1.0 - ties) * (1.0 - won), ties, (1.0 - ties) * won]
        truth = 0.5 * ties + (1.0 - ties) * won
        cells = []
        for count in (12, 20, 40):
            drawn = np.random.default_rng([count, int(100 * won)]).multinomial(count, chances, size=repeats)
            found = {
                tuple(each): improvement_interval(int(each[2]), int(each[1]), count)
                for each in np.unique(drawn, axis=0)
            }
            cells.append(share([found[tuple(each)].holds(truth) for each in drawn]))
        row(f"{truth:.2g}", percent(ties), *cells)


def equivalence(repeats: int) -> None:
    titles(
        "Equivalence within 1 standard deviation: how often it is called",
        repeats,
        "differences",
        "true shift",
        "12 seeds",
        "20 seeds",
        "40 seeds",
        words=2,
    )
    for name in (
        "normal",
        "heavy tails, t(2)",
        "of two skewed values (lognormal)",
        "tied: normal, rounded to whole deviations",
    ):
        for shift in (1.0, 0.5, 0.0):
            cells = []
            for count in (12, 20, 40):
                samples = DIFFERENCES[name](np.random.default_rng([count, len(name)]), (repeats, count)) + shift
                if name.startswith("tied"):
                    cells.append(share([equivalence_p(sample, 1.0) <= LEVEL for sample in samples]))
                else:
                    cells.append(share(within(samples, 1.0, LEVEL).tolist()))
            row(name, f"{shift:g}{' (as large as the margin)' if shift == 1.0 else ''}", *cells)


def powers(repeats: int) -> None:
    titles(
        "The difference that is said to be detected with a power of 80 %: how often it is",
        repeats,
        "seeds",
        "detectable, in standard deviations",
        "normal",
        "heavy tails, t(4)",
        words=0,
    )
    for count in (8, 12, 20, 40):
        effect = detectable_effect(count) or 0.0
        generator = np.random.default_rng(count)
        bell = generator.normal(effect, 1.0, (repeats, count))
        tails = generator.standard_t(4.0, (repeats, count)) / np.sqrt(2.0) + effect
        row(
            count,
            f"{effect:.2f}",
            *(share([signed_rank(sample).p <= 0.05 for sample in drawn]) for drawn in (bell, tails)),
        )
