"""How often the intervals of `hpoctl compare` hold the truth, and how often its tests call a difference that is none.

    python benchmarks/statistics_coverage.py [--repeats 3000]

Prints the tables of docs/explanation/statistics.md, in Markdown.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from hpoctl.analysis.aggregate import Aggregate, band
from hpoctl.analysis.paired import binomial_interval, hodges_lehmann, holm, signed_rank
from hpoctl.analysis.power import detectable_effect, more_seeds, seeds_needed
from hpoctl.analysis.ranks import critical_difference, mean_ranks
from hpoctl.analysis.scores import bootstrapped
from hpoctl.analysis.sequential import decided_after
from hpoctl.analysis.time_to_target import time_to_target
from hpoctl.analysis.traces import Trace

Generator = np.random.Generator
Draw = Callable[[Generator, tuple[int, ...]], np.ndarray]
SEEDS = (6, 12, 20)
MANY = 250
"""More pairs than the signed-rank test is exact for."""


def skewed(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.exp(generator.normal(size=shape)) - np.exp(generator.normal(size=shape))


DIFFERENCES: dict[str, Draw] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "heavy tails, t(2)": lambda generator, shape: generator.standard_t(2.0, size=shape),
    "of two skewed values (lognormal)": skewed,
    "tied: normal, rounded to whole deviations": lambda generator, shape: np.round(generator.normal(size=shape)),
}
ONE_SIDED: dict[str, Draw] = {
    "skewed themselves, median 0 (exponential)": lambda generator, shape: (
        generator.exponential(size=shape) - np.log(2.0)
    ),
}


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def signed_ranks(repeats: int) -> None:
    print("\nSigned-rank test and interval of the shift: differences called that are none, and intervals that hold 0\n")
    row("differences", *(f"test, {count} seeds" for count in SEEDS), *(f"interval, {count} seeds" for count in SEEDS))
    row("---", *("---:" for _ in range(2 * len(SEEDS))))
    for name, draw in {**DIFFERENCES, **ONE_SIDED}.items():
        rejected, covered = [], []
        for count in SEEDS:
            samples = draw(np.random.default_rng([count, len(name)]), (repeats, count))
            rejected.append(percent(float(np.mean([signed_rank(sample).p <= 0.05 for sample in samples]))))
            ends = [hodges_lehmann(sample)[1] for sample in samples]
            covered.append(percent(float(np.mean([end.low <= 0.0 <= end.high for end in ends]))))
        row(name, *rejected, *covered)


def many_pairs(repeats: int) -> None:
    print(f"\nThe same with {MANY} pairs, where ranks are taken for normal\n")
    row("differences", "test", "interval")
    row("---", "---:", "---:")
    for name, draw in DIFFERENCES.items():
        samples = draw(np.random.default_rng([MANY, len(name)]), (repeats, MANY))
        rejected = float(np.mean([signed_rank(sample).p <= 0.05 for sample in samples]))
        ends = [hodges_lehmann(sample)[1] for sample in samples]
        row(name, percent(rejected), percent(float(np.mean([end.low <= 0.0 <= end.high for end in ends]))))


def held(interval: Callable[[Generator], tuple[float, float] | None], truth: float, repeats: int, seed: int) -> float:
    """The share of intervals that hold the truth, of those that are given."""
    generator = np.random.default_rng(seed)
    found = [interval(generator) for _ in range(repeats)]
    return float(np.mean([ends[0] <= truth <= ends[1] for ends in found if ends is not None]))


def improvement(share: float, ties: float, generator: Generator) -> tuple[float, float]:
    chances = [(1.0 - ties) * (1.0 - share), ties, (1.0 - ties) * share]
    found = binomial_interval(float(generator.choice([0.0, 0.5, 1.0], p=chances, size=20).sum()), 20)
    return found.low, found.high


def time_ratio(median: float, generator: Generator) -> tuple[float, float] | None:
    drawn = median * np.exp(generator.normal(0.0, 0.8, 20))
    reaches = partial(Trace, "tag", "A", "toy", 0, "", "loss", "min", 100.0, values=np.array([1.0]))
    first = [reaches(times=np.array([50.0 * ratio])) for ratio in drawn]
    second = [reaches(times=np.array([50.0])) for _ in drawn]
    found = time_to_target(first, second, 100.0).interval
    return None if found is None else (found.low, found.high)


def score(benchmarks: int, spread: float, drawn: bool, generator: Generator) -> tuple[float, float]:
    scores = [generator.normal(0.5 + spread * generator.normal(), 0.1, (20, 1)) for _ in range(benchmarks)]
    ((_, found),) = bootstrapped(scores, generator, benchmarks=drawn, repeats=200)
    return found.low, found.high


def intervals(repeats: int) -> None:
    print("\nOther intervals of 95 %: how many hold the truth\n")
    row("interval", "case", "holds the truth")
    row("---", "---", "---:")
    for share, ties in ((0.5, 0.0), (0.8, 0.0), (0.95, 0.0), (0.5, 0.2), (0.8, 0.2)):
        truth = 0.5 * ties + (1.0 - ties) * share
        found = held(partial(improvement, share, ties), truth, repeats, 1)
        case = f"20 seeds, {truth:.2g}" + (f", {100 * ties:.0f} % ties" if ties else "")
        row("probability of improvement", case, percent(found))
    for median in (0.4, 0.9, 1.2):
        found = held(partial(time_ratio, median), median, repeats, 2)
        row("median time ratio", f"20 seeds, {median}, censored above 2", percent(found))
    few = max(repeats // 10, 50)
    row("score, these benchmarks", "4 benchmarks, 20 seeds", percent(held(partial(score, 4, 0.0, False), 0.5, few, 3)))
    for benchmarks in (4, 10, 20):
        found = held(partial(score, benchmarks, 0.2, True), 0.5, few, 4)
        row("score, benchmarks like these", f"{benchmarks} benchmarks, 20 seeds", percent(found))


def more_interval(effect: float, count: int, generator: Generator) -> tuple[float, float]:
    low, high = more_seeds(generator.normal(effect, 1.0, count), generator).interval
    return np.inf if low is None else low, np.inf if high is None else high


def needed(repeats: int) -> None:
    print("\nHow many more seeds: how many intervals of 80 % hold the number that the true difference needs\n")
    row("seeds", "difference, in standard deviations", "more that it needs", "holds it")
    row("---:", "---:", "---:", "---:")
    for count, effect in ((12, 0.3), (12, 0.5), (12, 0.7), (20, 0.3), (20, 0.5)):
        truth = (seeds_needed(effect) or 0) - count
        found = held(partial(more_interval, effect, count), truth, repeats, count)
        row(count, effect, truth, percent(found))


def bands(repeats: int) -> None:
    print("\nBands of figures, 20 seeds: how many hold the truth\n")
    row("band", "values", "holds the truth")
    row("---", "---", "---:")
    generator = np.random.default_rng(21)
    times = np.arange(1.0, repeats + 1.0)
    lognormal = np.exp(generator.normal(size=(20, repeats)))
    big = np.sort(np.exp(generator.normal(size=2_000_000)))
    middle = float(np.mean(big[500_000:1_500_000]))
    cases: list[tuple[str, Aggregate, str, np.ndarray, float]] = [
        ("mean, at each time", "mean", "normal", generator.normal(size=(20, repeats)), 0.0),
        ("mean, at each time", "mean", "skewed (lognormal)", lognormal, float(np.exp(0.5))),
        ("interquartile mean, at each time", "iqm_bootstrap", "normal", generator.normal(size=(20, repeats)), 0.0),
        ("interquartile mean, at each time", "iqm_bootstrap", "skewed (lognormal)", lognormal, middle),
    ]
    for name, aggregate, values, drawn, truth in cases:
        found = band(drawn, times, aggregate)
        row(name, values, percent(float(np.mean((found.low <= truth) & (truth <= found.high)))))
    few = max(repeats // 10, 50)
    kinds: tuple[tuple[str, Aggregate], ...] = (("mean", "mean"), ("interquartile mean", "iqm_bootstrap"))
    for name, aggregate in kinds:
        for simultaneous in (False, True):
            whole = 0
            for _ in range(few):
                walks = generator.normal(size=(20, 30)).cumsum(axis=1)
                found = band(walks, np.arange(1.0, 31.0), aggregate, simultaneous=simultaneous)
                whole += bool(np.all((found.low <= 0.0) & (found.high >= 0.0)))
            kind = "simultaneous" if simultaneous else "at each time"
            row(f"{name}, {kind}", "whole random walks", percent(whole / few))


def families(repeats: int) -> None:
    print("\nMany methods that are all equal, 12 seeds: how often any difference is called\n")
    row("procedure", "differences called")
    row("---", "---:")
    generator = np.random.default_rng(5)
    few = max(repeats // 10, 50)
    alone, adjusted = [], []
    for _ in range(few):
        values = generator.normal(size=(12, 8)) + generator.normal(size=(12, 1))
        found = [signed_rank(values[:, one] - values[:, other]).p for one in range(8) for other in range(one)]
        alone.append(min(found) <= 0.05)
        adjusted.append(min(holm(found)) <= 0.05)
    row("8 methods, 28 pairs, each p by itself", percent(float(np.mean(alone))))
    row("8 methods, 28 pairs, Holm", percent(float(np.mean(adjusted))))
    for methods, benchmarks in ((8, 4), (5, 20)):
        friedman, nemenyi = [], []
        for _ in range(few):
            ranks = mean_ranks(generator.normal(size=(benchmarks, methods)))
            friedman.append(ranks.friedman_p is not None and ranks.friedman_p <= 0.05)
            spread = max(ranks.mean_ranks) - min(ranks.mean_ranks)
            nemenyi.append(spread > critical_difference(methods, benchmarks))
        row(f"{methods} methods on {benchmarks} benchmarks, Friedman", percent(float(np.mean(friedman))))
        row(f"{methods} methods on {benchmarks} benchmarks, Nemenyi", percent(float(np.mean(nemenyi))))
    row("two methods, signed-rank test looked at after every seed from 6 to 60", percent(looks(few)))
    row("two methods, 12 seeds, then once those that `compare` proposes (at most 60)", percent(added_once(repeats)))


def evidence(repeats: int) -> None:
    print(
        "\nLooking after every seed, at most 60, until the evidence reaches 20: how often it does, and after how many\n"
    )
    row("differences", "reached", "seeds used, mean", "signed-rank test, once, with 60 seeds")
    row("---", "---:", "---:", "---:")
    cases = {f"normal, shift of {shift:g} deviations": (DIFFERENCES["normal"], shift) for shift in (0.0, 0.3, 0.5, 0.8)}
    others = {f"{name}, no shift": (draw, 0.0) for name, draw in list(DIFFERENCES.items())[1:]}
    for name, (draw, shift) in {**cases, **others}.items():
        samples = draw(np.random.default_rng(len(name)), (repeats, 60)) + shift
        after = [decided_after(sample) for sample in samples]
        once = float(np.mean([signed_rank(sample).p <= 0.05 for sample in samples[: repeats // 3]]))
        used = float(np.mean([count or 60 for count in after]))
        reached = float(np.mean([count is not None for count in after]))
        row(name, percent(reached), f"{used:.0f}", percent(once))


def looks(repeats: int) -> float:
    generator = np.random.default_rng(6)
    called = 0
    for _ in range(repeats):
        sample = generator.normal(size=60)
        called += any(signed_rank(sample[:count]).p <= 0.05 for count in range(6, 61))
    return called / repeats


def added_once(repeats: int) -> float:
    generator = np.random.default_rng(7)
    called = 0
    for _ in range(repeats):
        sample = generator.normal(size=60)
        decided = signed_rank(sample[:12]).p <= 0.05
        if not decided:
            more = more_seeds(sample[:12], generator).more
            decided = signed_rank(sample[: min(12 + max(more or 48, 1), 60)]).p <= 0.05
        called += decided
    return called / repeats


def powers(repeats: int, counts: Sequence[int] = (8, 12, 20, 40)) -> None:
    print("\nThe difference that is said to be detected with a chance of 80 %: how often it is\n")
    row("seeds", "detectable, in standard deviations", "normal", "heavy tails, t(4)")
    row("---:", "---:", "---:", "---:")
    for count in counts:
        effect = detectable_effect(count) or 0.0
        generator = np.random.default_rng(count)
        normal = generator.normal(effect, 1.0, (repeats, count))
        tails = generator.standard_t(4.0, (repeats, count)) / np.sqrt(2.0) + effect
        found = [float(np.mean([signed_rank(sample).p <= 0.05 for sample in drawn])) for drawn in (normal, tails)]
        row(count, f"{effect:.2f}", *map(percent, found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3000)
    repeats: int = parser.parse_args().repeats
    error = percent(float(np.sqrt(0.05 * 0.95 / repeats)))
    print(
        f"{repeats:,} repetitions, one standard error at 5 % is {error}; a tenth of them for scores, whole random "
        "walks and, but for the last row, many methods; a third for more seeds and the test beside the evidence; "
        "half for what is detected."
    )
    signed_ranks(repeats)
    many_pairs(repeats)
    intervals(repeats)
    needed(repeats // 3)
    bands(repeats)
    families(repeats)
    evidence(repeats)
    powers(repeats // 2)


if __name__ == "__main__":
    main()
