"""What `hpoctl launch --until-decided` costs and saves: its error rate, power and seeds.

    python benchmarks/sequential_design.py [--repeats 3000] [--only closing,estimates]

Prints the tables of interim analyses in docs/explanation/statistics.md, in Markdown. Data are drawn; no study is run.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from coverage_shared import DIFFERENCES, Draw, Generator, one_sided, percent, rejects, row, within
from scipy.special import ndtr, ndtri
from sequential_samples import LEVEL, MARGIN, MOST, all_looks, looked_up, positive_ranks, rules_with

from hpoctl.analysis.decisions import follow
from hpoctl.analysis.group_sequential import Spending, look_levels, planned_looks, spending
from hpoctl.analysis.interim import InterimAnalysis, Question, Rules, analysis_of
from hpoctl.analysis.sequential import decided_after
from hpoctl.analysis.signed_rank import signed_rank

SHIFTS = (0.0, 0.3, 0.5, 0.8, 1.2)


def obrien_fleming(shares: np.ndarray, level: float) -> np.ndarray:
    return np.asarray(4.0 * ndtr(ndtri(level / 4.0) / np.sqrt(shares)))


def pocock(shares: np.ndarray, level: float) -> np.ndarray:
    return np.asarray(level * np.log(1.0 + (np.e - 1.0) * shares))


PROCEDURES: dict[str, Spending] = {
    "spending like O'Brien and Fleming": obrien_fleming,
    "spending the square of the share (used)": spending,
    "spending like Pocock": pocock,
}


def mostly_equal(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(generator.normal(size=shape) * (generator.random(shape) < 0.3))


def growing(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(generator.normal(size=shape) * np.linspace(1.0, 10.0, shape[-1]))


NULLS: dict[str, Draw] = {
    **DIFFERENCES,
    "seven of ten are zero": mostly_equal,
    "ten times as large at the end as at the beginning": growing,
    "skewed themselves, median 0 (exponential)": one_sided,
}


def at_looks(samples: np.ndarray, looks: tuple[int, ...]) -> np.ndarray:
    """The p value of each sample at each look, shape (samples, looks)."""
    return np.array([[signed_rank(sample[:count]).p for count in looks] for sample in samples])


def rejections(samples: np.ndarray, looks: tuple[int, ...], levels: tuple[float, ...]) -> np.ndarray:
    """Whether each look rejects, of samples without ties, shape (samples, looks)."""
    found = [rejects(samples[:, :count], level) for count, level in zip(looks, levels, strict=True)]
    return np.stack(found, axis=1)


def decided(hit: np.ndarray, looks: tuple[int, ...]) -> tuple[float, float]:
    """The share of samples that are decided at any look, and the mean number of seeds."""
    any_hit = hit.any(axis=1)
    return float(any_hit.mean()), float(np.where(any_hit, np.array(looks)[hit.argmax(axis=1)], looks[-1]).mean())


def procedures(repeats: int) -> None:
    looks = planned_looks(MOST)
    print(f"\nOne question, normal differences, at most {MOST} seeds: how often it is decided, and seeds on average\n")
    row("procedure", *("no shift" if shift == 0.0 else f"shift of {shift:g} deviations" for shift in SHIFTS))
    row("---", *("---:" for _ in SHIFTS))
    samples = {
        shift: np.random.default_rng([31, place]).normal(shift, 1.0, (repeats, MOST))
        for place, shift in enumerate(SHIFTS)
    }
    uncorrected = tuple(LEVEL for _ in looks)
    for name, levels in {
        f"one test, with {MOST} seeds": (*(0.0 for _ in looks[1:]), LEVEL),
        "the same interim analyses, each at 5 %": uncorrected,
        **{name: look_levels(looks, LEVEL, spend) for name, spend in PROCEDURES.items()},
    }.items():
        found = [decided(rejections(samples[shift], looks, levels), looks) for shift in SHIFTS]
        row(name, *(f"{percent(share)}, {seeds:.0f}" for share, seeds in found))
    after = {shift: [decided_after(sample) for sample in drawn] for shift, drawn in samples.items()}
    row(
        "evidence (e-process), after every seed",
        *(
            f"{percent(float(np.mean([count is not None for count in counts])))}, "
            f"{np.mean([count or MOST for count in counts]):.0f}"
            for counts in after.values()
        ),
    )


def errors(repeats: int, maxima: tuple[int, ...] = (12, 20, MOST)) -> None:
    print("\nOne question without a difference, interim analyses: how often it is decided\n")
    row("differences", *(f"at most {most} seeds" for most in maxima), f"at {percent(LEVEL / 8)}, {MOST} seeds")
    row("---", *("---:" for _ in range(len(maxima) + 1)))
    for name, draw in NULLS.items():
        cells = []
        for most in maxima:
            looks = planned_looks(most)
            p = at_looks(draw(np.random.default_rng([most, len(name)]), (repeats, most)), looks)
            cells.append(decided(p <= np.array(look_levels(looks, LEVEL)), looks)[0])
        cells.append(decided(p <= np.array(look_levels(looks, LEVEL / 8)), looks)[0])
        row(name, *map(percent, cells))


def families(repeats: int) -> None:
    print(
        f"\nTwo pairs, A:B and A:C, on four benchmarks, at most {MOST} seeds: any false claim, differences found, and "
        "share of the experiments of all interim analyses that are run\n"
    )
    row("true differences", "any false claim", "differences found", "experiments")
    row("---", "---:", "---:", "---:")
    looks = planned_looks(MOST)
    questions = [Question("A", other, f"benchmark {place}") for place in range(4) for other in ("B", "C")]
    for name, shifts in {
        "no differences": {},
        "B differs on two benchmarks, by 0.8 deviations": {("B", 0): 0.8, ("B", 1): 0.8},
        "B differs on all, by 0.8, C on none": {("B", place): 0.8 for place in range(4)},
        "all differ by 0.8": {(other, place): 0.8 for other in "BC" for place in range(4)},
        "all differ by 1.5": {(other, place): 1.5 for other in "BC" for place in range(4)},
    }.items():
        generator = np.random.default_rng(len(name))
        wrong, found, there, used = 0, 0, 0, 0.0
        for _ in range(repeats):
            values = generator.normal(size=(4, 3, MOST)) / np.sqrt(2.0)
            for (other, place), shift in shifts.items():
                values[place, "ABC".index(other)] += shift
            course = follow(questions, Rules(looks, LEVEL), partial(see, values))
            real = {Question("A", other, f"benchmark {place}") for other, place in shifts}
            called = {question for question, answer in course.answers.items() if answer.verdict != "undecided"}
            wrong += bool(called - real)
            found, there = found + len(called & real), there + len(real)
            used += course.experiments
        share = percent(found / there) if there else "none there"
        row(name, percent(wrong / repeats), share, percent(used / (repeats * 12 * MOST)))


def closing(repeats: int) -> None:
    """Equivalence within half a standard deviation, with and without futility."""
    print(
        f"\nOne question, equivalence within {MARGIN} deviations, at most {MOST} seeds: answers, and seeds on average\n"
    )
    row("differences", "true shift", "futility", "a difference", "equivalent", "futile", "undecided", "seeds")
    row("---", "---", "---", *("---:" for _ in range(5)))
    question = Question("A", "B", "toy")
    for name in ("normal", "heavy tails, t(2)", "of two skewed values (lognormal)"):
        for shift in (0.0, 0.25, MARGIN, 0.8):
            samples = DIFFERENCES[name](np.random.default_rng([32, len(name)]), (repeats, MOST)) + shift
            tested = all_looks(samples)
            for futility in (False, True):
                rules = rules_with(futility)
                found = [
                    follow([question], rules, partial(looked_up, {question: tests}, futility)).answers[question]
                    for tests in tested
                ]
                words = ["difference" if each.verdict in ("better", "worse") else each.verdict for each in found]
                ends = [*(word == "difference" for word in words)], [*(word == "equivalent" for word in words)]
                futile = [each.futile for each in found]
                open_end = [word == "undecided" and not each.futile for word, each in zip(words, found, strict=True)]
                cells = [percent(float(np.mean(each))) for each in (*ends, futile, open_end)]
                seeds = f"{np.mean([each.look.seeds for each in found]):.0f}"
                row(name, f"{shift:g}", "yes" if futility else "no", *cells, seeds)


def equivalent_families(repeats: int) -> None:
    print(
        f"\nEight questions, equivalence within {MARGIN} deviations, at most {MOST} seeds, futility: any false claim "
        "of equivalence, any false claim of a difference\n"
    )
    row("true shifts", "false equivalence", "false difference", "true equivalence found")
    row("---", "---:", "---:", "---:")
    questions = [Question("A", "B", f"benchmark {place}") for place in range(8)]
    rules = rules_with(futility=True)
    for name, shifts in {
        "all as large as the margin": [MARGIN] * 8,
        "four as large as the margin, four 0": [MARGIN] * 4 + [0.0] * 4,
        "all 0": [0.0] * 8,
    }.items():
        generator = np.random.default_rng(len(name))
        equal, different, found = 0, 0, 0
        values = generator.normal(size=(repeats, 8, MOST)) + np.array(shifts)[:, None]
        every = all_looks(values.reshape(-1, MOST))
        for place in range(repeats):
            tests = dict(zip(questions, every[8 * place :], strict=False))
            answers = follow(questions, rules, partial(looked_up, tests, True)).answers
            said = [answers[question].verdict for question in questions]
            pairs = list(zip(said, shifts, strict=True))
            equal += any(word == "equivalent" and shift == MARGIN for word, shift in pairs)
            different += any(word in ("better", "worse") and shift == 0.0 for word, shift in pairs)
            found += sum(word == "equivalent" and shift == 0.0 for word, shift in pairs)
        there = shifts.count(0.0)
        share = percent(found / (repeats * there)) if there else "none there"
        row(name, percent(equal / repeats), percent(different / repeats) if there else "none there", share)


def at_margin(repeats: int) -> None:
    print(f"\nOne question with a shift as large as the margin of {MARGIN}: how often it is called equivalent\n")
    row("differences", "called equivalent")
    row("---", "---:")
    looks = planned_looks(MOST)
    levels = [0.5 * level for level in look_levels(looks, 2.0 * LEVEL)]
    names = ("normal", "heavy tails, t(2)", "of two skewed values (lognormal)")
    for seed, name in enumerate(names, start=32):
        samples = DIFFERENCES[name](np.random.default_rng(seed), (repeats, MOST)) + MARGIN
        called = [within(samples[:, :count], MARGIN, level) for count, level in zip(looks, levels, strict=True)]
        row(name, percent(float(np.mean(np.any(called, axis=0)))))


def made(tests: Mapping[int, InterimAnalysis], _: Question, seeds: int) -> InterimAnalysis:
    return tests[seeds]


def estimates(repeats: int) -> None:
    print(
        f"\nEstimates after interim analyses, normal differences, at most {MOST} seeds: how many are below the true "
        "shift (50 % is right), and how often intervals hold it\n"
    )
    heads = ("shift of the last analysis", "median-unbiased", "its repeated interval", "all repeated intervals")
    row("true shift", *heads, f"SD of the statistic with {planned_looks(MOST)[0]} seeds")
    row(*("---:" for _ in range(6)))
    rules, question = Rules(planned_looks(MOST), LEVEL), Question("A", "B", "toy")
    for shift in SHIFTS:
        alone, unbiased, last, every = [], [], [], []
        samples = np.random.default_rng([33, int(10 * shift)]).normal(shift, 1.0, (repeats, MOST))
        for sample in samples:
            tests = {seeds: analysis_of(sample[:seeds], rules) for seeds in rules.looks}
            answer = follow([question], rules, partial(made, tests)).answers[question]
            if answer.estimate is None or answer.look.shift is None:
                raise SystemExit("there is no estimate")
            alone.append(answer.look.shift < shift)
            unbiased.append(answer.estimate < shift)
            holds = {seeds: look.interval is not None and look.interval.holds(shift) for seeds, look in tests.items()}
            last.append(holds[answer.look.seeds])
            every.append(all(holds.values()))
        cells = [percent(float(np.mean(each))) for each in (alone, unbiased, last, every)]
        row(f"{shift:g}", *cells, f"{spread_of_ranks(samples[:, : rules.looks[0]]):.2f}")


def spread_of_ranks(samples: np.ndarray) -> float:
    """The standard deviation of the signed-rank statistic, in units of the one without a difference."""
    count = samples.shape[1]
    return float(np.std(positive_ranks(samples)) / np.sqrt(count * (count + 1) * (2 * count + 1) / 24.0))


def see(values: np.ndarray, question: Question, seeds: int) -> InterimAnalysis:
    place, other = int(question.benchmark.split()[1]), "ABC".index(question.second)
    test = signed_rank(values[place, 0, :seeds] - values[place, other, :seeds])
    return InterimAnalysis(seeds, test.p, "better" if test.lead < 0 else "worse" if test.lead else "undecided")


SECTIONS: dict[str, Callable[[int], None]] = {
    "procedures": procedures,
    "errors": errors,
    "families": families,
    "closing": closing,
    "equivalence": equivalent_families,
    "estimates": estimates,
    "margin": at_margin,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3000)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections: {', '.join(SECTIONS)}")
    arguments = parser.parse_args()
    print(f"Interim analyses at {', '.join(map(str, planned_looks(MOST)))} seeds of {MOST}.")
    for name in arguments.only.split(","):
        print(f"\n{arguments.repeats:,} repetitions:")
        SECTIONS[name](arguments.repeats)


if __name__ == "__main__":
    main()
