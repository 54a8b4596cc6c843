"""Simulated coverage of the intervals of `hpoctl compare`, and type I error rates and power of its tests.

    python benchmarks/statistics_coverage.py [--repeats 10000] [--only tests,improvement,speed]

Prints the tables of docs/explanation/statistics.md, in Markdown; a section at a time with --only. Each table says how
many repetitions it is of.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm, rankdata

from hpoctl.analysis.across import Block, compare_overall, seed_ranks, win_tables
from hpoctl.analysis.aggregate import Aggregate, band
from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.equivalence import equivalence_p, signed_rank_posterior
from hpoctl.analysis.paired import LEVEL, critical_sum, hodges_lehmann, improvement_interval, signed_rank
from hpoctl.analysis.power import MOST, detectable_effect, predict_power, seeds_needed
from hpoctl.analysis.ranks import critical_difference, friedman
from hpoctl.analysis.ratings import ratings, win_rates
from hpoctl.analysis.resampling import Statistic, intervals
from hpoctl.analysis.run_times import speed
from hpoctl.analysis.scores import normalised
from hpoctl.analysis.sequential import decided_after
from hpoctl.analysis.traces import Trace

Generator = np.random.Generator
Draw = Callable[[Generator, tuple[int, ...]], np.ndarray]
SEEDS = (6, 12, 20)


def skewed(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.exp(generator.normal(size=shape)) - np.exp(generator.normal(size=shape))


def normal(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.normal(size=shape)


def heavy(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.standard_t(2.0, size=shape)


def tied(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(generator.normal(size=shape))


def zeros(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.where(generator.random(size=shape) < 0.3, 0.0, generator.normal(size=shape))


def one_sided(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.exponential(size=shape) - np.log(2.0)


DIFFERENCES: dict[str, Draw] = {
    "normal": normal,
    "heavy tails, t(2)": heavy,
    "of two skewed values (lognormal)": skewed,
    "tied: normal, rounded to whole deviations": tied,
    "three of ten are zero": zeros,
}


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def titles(text: str, repeats: int, *cells: str, words: int = 1) -> None:
    """The head of a table."""
    print(f"\n{text} ({repeats:,} repetitions)\n")
    row(*cells)
    row(*("---" if place < words else "---:" for place in range(len(cells))))


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def share(found: Sequence[bool]) -> str:
    return percent(float(np.mean(found)))


def rejects(samples: np.ndarray, level: float = LEVEL, side: int = 0) -> np.ndarray:
    """Whether the signed-rank test rejects, of many samples without ties and zeros at once, shape (repeats,).

    Args:
        samples: Differences, at most 200 of each sample, shape (repeats, n).
        level: The level of the test.
        side: 1, -1: a test of one side, which rejects where differences are above or below 0; 0: of both.
    """
    count = samples.shape[1]
    ranks = rankdata(np.abs(samples), axis=1)
    above = np.sum(ranks * (samples > 0.0), axis=1)
    against = {1: np.sum(ranks, axis=1) - above, -1: above}
    least = against[side] if side else np.minimum(against[1], against[-1])
    return np.asarray(least <= critical_sum(count, 2.0 * level if side else level))


def within(samples: np.ndarray, margin: float, level: float) -> np.ndarray:
    """Whether both one-sided tests of equivalence reject, of many samples without ties at once, shape (repeats,)."""
    return np.asarray(rejects(samples - margin, level, -1) & rejects(samples + margin, level, 1))


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


def runs(count: int, fast: float, generator: Generator, late: float) -> dict[int, Trace]:
    """Runs of a method that is faster by a factor: all times are divided by it."""
    found = {}
    for seed in range(count):
        steps = generator.exponential(size=30) * np.exp(late * generator.normal())
        times, values = 4.0 * np.cumsum(steps) / fast, np.exp(-np.cumsum(generator.exponential(0.3, size=30)))
        within = times <= 100.0
        found[seed] = Trace("tag", "A", "toy", seed, "", "loss", "min", 100.0, times[within], values[within])
    return found


def speeds(repeats: int) -> None:
    titles(
        "Speed-up: interval of 95 %, and the median estimate",
        repeats,
        "run times",
        "truth",
        "12 seeds",
        "20 seeds",
        "median estimate, 20 seeds",
        words=2,
    )
    for name, late in (("alike", 0.3), ("of very different length", 0.8)):
        for fast in (1.0, 2.0, 4.0):
            cells, middle = [], 0.0
            for count in (12, 20):
                generator = np.random.default_rng([count, int(fast)])
                found = [
                    speed(runs(count, fast, generator, late), runs(count, 1.0, generator, late), 100.0)
                    for _ in range(repeats)
                ]
                cells.append(share([each.interval is not None and each.interval.holds(fast) for each in found]))
                middle = float(np.median([each.ratio for each in found if each.ratio is not None]))
            row(name, f"{fast:g}", *cells, f"{middle:.2f}")


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


def bayes(repeats: int) -> None:
    titles(
        "Bayesian signed-rank test over benchmarks, margin 0.01, differences with SD 0.02: what it says at 95 %",
        repeats,
        "mean difference",
        "benchmarks",
        "better",
        "equivalent",
        "worse",
        "undecided",
        words=2,
    )
    for mean in (0.0, 0.01, 0.03):
        for count in (6, 12, 30):
            generator = np.random.default_rng([count, int(1000 * mean)])
            said = [signed_rank_posterior(generator.normal(-mean, 0.02, count), 0.01).verdict for _ in range(repeats)]
            row(
                mean,
                count,
                *(share([word == each for each in said]) for word in ("better", "equivalent", "worse", "undecided")),
            )


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
        predicted, decided = zip(*self.most, strict=True) if self.most else ((np.nan,), (np.nan,))
        lists = (self.missing, self.half, self.more, predicted, decided, self.held)
        return [percent(float(np.mean(each))) if len(each) else "-" for each in lists]


def study(methods: int, benchmarks: int, seeds: int, generator: Generator, spread: float) -> list[Trace]:
    """Methods that are equal on average; on a benchmark they differ by a spread."""
    found = []
    for benchmark in range(benchmarks):
        own = spread * generator.normal(size=methods)
        for seed in range(seeds):
            shared = generator.normal()
            for method in range(methods):
                value = 10.0 + own[method] + 0.5 * shared + generator.normal()
                found.append(
                    Trace(
                        "tag",
                        f"M{method}",
                        f"b{benchmark}",
                        seed,
                        "",
                        "loss",
                        "min",
                        10.0,
                        np.array([1.0]),
                        np.array([value]),
                    )
                )
    return found


def overall(repeats: int) -> None:
    few = max(repeats // 50, 5)
    head = (
        "benchmarks",
        "rank, these",
        "rank, like these",
        "regret, like these",
        "rating, these",
        "rating, like these",
        "pairs, these",
        "pairs, like these",
    )
    titles(
        "Over benchmarks, 4 equal methods, 10 seeds: how often intervals hold the truth, and any pair is called",
        few,
        *head,
    )
    for benchmarks in (4, 10, 20):
        generator = np.random.default_rng(benchmarks)
        here, alike, regret, rating, rated, called, called_alike = [], [], [], [], [], [], []
        for _ in range(few):
            fixed = compare_overall(by_benchmark(study(4, benchmarks, 10, generator, 0.0)), CompareOptions())
            varied = compare_overall(by_benchmark(study(4, benchmarks, 10, generator, 0.5)), CompareOptions())
            if fixed is None or varied is None:
                raise SystemExit("there are not two methods and two benchmarks")
            here.append(fixed.methods[0].mean_seed_rank.here.holds(2.5))
            alike.append(varied.methods[0].mean_seed_rank.alike.holds(2.5))
            middle = float(np.mean([line.score.value for line in varied.methods]))
            regret.append(varied.methods[0].score.alike.holds(middle))
            rating.append(fixed.methods[0].rating.here.holds(0.0))
            rated.append(varied.methods[0].rating.alike.holds(0.0))
            called.append(any(pair.verdict != "undecided" for pair in fixed.pairs))
            called_alike.append(any(pair.verdict_alike != "undecided" for pair in varied.pairs))
        row(benchmarks, *map(share, (here, alike, regret, rating, rated, called, called_alike)))


MEANS = {"equal": np.zeros(4), "0.3 deviations apart": 0.3 * np.arange(4)}
"""Mean losses of four methods; the values of a benchmark have a standard deviation of 1 over seeds."""

VARIED = 0.5
"""The standard deviation over benchmarks like these of the mean of a method."""

COMMON = np.sqrt(0.5)
"""How much of the noise of a seed, in standard deviations, is the same on all benchmarks, where some of it is."""


def true_numbers(means: np.ndarray, benchmarks: int, varied: float) -> dict[str, np.ndarray]:
    """The mean rank by seed, rating and win rate of each method with infinitely many seeds, shape (methods,) each.

    Args:
        means: The mean losses.
        benchmarks: The number of benchmarks; the half win that a rating adds to each side counts less with more.
        varied: The standard deviation over benchmarks of the mean of a method; 0: they are all alike.
    """
    behind = means[:, None] - means
    wins = norm.cdf(-behind / np.sqrt(2.0 * (1.0 + varied**2)))
    ranks = 0.5 + np.sum(1.0 - wins, axis=1)  # a method beside itself counts half
    return {"rank": ranks, "rating": ratings(benchmarks * wins), "win rate": win_rates(wins)}


def benchmark_runs(
    means: np.ndarray, benchmarks: int, varied: float, common: float, generator: Generator
) -> list[Block]:
    """Runs of methods on benchmarks, 10 seeds each."""
    shape = (benchmarks, 10, len(means))
    shared = generator.normal(size=shape[1:])
    noise = np.sqrt(1.0 - common**2) * generator.normal(size=shape) + common * shared
    losses = means + varied * generator.normal(size=(benchmarks, 1, len(means))) + noise
    return [Block(range(10), each, normalised(each, log=False)) for each in losses]


def statistics_of(blocks: Sequence[Block]) -> dict[str, Statistic]:
    """What `compare` gives intervals of."""
    return {
        "rank": seed_ranks(blocks),
        "rating": lambda weights: ratings(win_tables(blocks, weights)),
        "win rate": lambda weights: win_rates(win_tables(blocks, weights)),
    }


def rankings(about: str, varied: float, common: float, repeats: int) -> None:
    """The intervals of mean ranks, ratings and win rates, over all methods."""
    titles(
        f"Intervals of 4 methods with 10 seeds about {about}: how often they hold the truth",
        repeats,
        "methods",
        "benchmarks",
        "rank",
        "rating",
        "win rate",
    )
    for benchmarks in (4, 10, 20):
        for name, means in MEANS.items():
            generator = np.random.default_rng([benchmarks, len(about), len(name)])
            truth = true_numbers(means, benchmarks, varied)
            held: dict[str, list[bool]] = {what: [] for what in truth}
            for _ in range(repeats):
                blocks = benchmark_runs(means, benchmarks, varied, common, generator)
                for what, statistic in statistics_of(blocks).items():
                    found = intervals([range(10)] * benchmarks, statistic, benchmarks=varied > 0.0)
                    held[what] += [each.holds(float(true)) for each, true in zip(found, truth[what], strict=True)]
            row(name, benchmarks, *(share(held[what]) for what in truth))


def bands(repeats: int) -> None:
    titles(
        "Bands of figures, 20 seeds: how often they hold the truth",
        repeats,
        "band",
        "values",
        "holds the truth",
        words=2,
    )
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
    kinds: tuple[tuple[str, Aggregate], ...] = (("mean", "mean"), ("interquartile mean", "iqm_bootstrap"))
    for name, aggregate in kinds:
        for simultaneous in (False, True):
            whole = 0
            for _ in range(repeats):
                walks = generator.normal(size=(20, 30)).cumsum(axis=1)
                found = band(walks, np.arange(1.0, 31.0), aggregate, simultaneous=simultaneous)
                whole += bool(np.all((found.low <= 0.0) & (found.high >= 0.0)))
            kind = "simultaneous" if simultaneous else "at each time"
            row(f"{name}, {kind}", "whole random walks", percent(whole / repeats))


def families(repeats: int) -> None:
    titles(
        "Many methods that are all equal: how often any difference is called",
        repeats,
        "procedure",
        "any difference called",
    )
    generator = np.random.default_rng(5)
    values = generator.normal(size=(repeats, 12, 8)) + generator.normal(size=(repeats, 12, 1))
    pairs = [values[:, :, one] - values[:, :, other] for one in range(8) for other in range(one)]
    row("8 methods, 12 seeds, 28 pairs, each p by itself", share(any_of(pairs, LEVEL)))
    # Where all are equal, Holm's procedure claims a difference exactly if the smallest p passes its first step.
    row("8 methods, 12 seeds, 28 pairs, Holm (a benchmark alone)", share(any_of(pairs, LEVEL / 28)))
    pairs = list(generator.normal(size=(12, repeats, 12)))
    row("3 pairs on 4 benchmarks, Holm over each benchmark alone", share(any_of(pairs, LEVEL / 3)))
    row("3 pairs on 4 benchmarks, Holm over all of them (--family all)", share(any_of(pairs, LEVEL / 12)))
    for methods, benchmarks, count in ((3, 4, repeats), (4, 3, repeats), (8, 4, repeats), (5, 20, repeats)):
        ranks = [rankdata(generator.normal(size=(benchmarks, methods)), axis=1) for _ in range(count)]
        row(
            f"{methods} methods on {benchmarks} benchmarks, Friedman by permutation",
            share([friedman(each, 999)[0] <= LEVEL for each in ranks]),
        )
        critical = critical_difference(methods, benchmarks)
        row(
            f"{methods} methods on {benchmarks} benchmarks, Nemenyi",
            share([bool(np.ptp(np.mean(each, axis=0)) >= critical) for each in ranks]),
        )
    row("two methods, signed-rank test looked at after every seed from 6 to 60", percent(looks(repeats)))
    row("two methods, 12 seeds, then once those that `compare` proposes (at most 60)", percent(added_once(repeats)))


def evidence(repeats: int) -> None:
    titles(
        "Looking after every seed, at most 60, until the evidence reaches 20",
        repeats,
        "differences",
        "reached",
        "seeds used, mean",
    )
    cases = {f"normal, shift of {shift:g} deviations": (normal, shift) for shift in (0.0, 0.3, 0.5, 0.8)}
    others = {f"{name}, no shift": (draw, 0.0) for name, draw in list(DIFFERENCES.items())[1:]}
    for name, (draw, shift) in {**cases, **others}.items():
        samples = draw(np.random.default_rng(len(name)), (repeats, 60)) + shift
        after = [decided_after(sample) for sample in samples]
        row(name, share([count is not None for count in after]), f"{np.mean([count or 60 for count in after]):.0f}")


def any_of(pairs: Sequence[np.ndarray], level: float) -> list[bool]:
    """Whether the test rejects any pair of each study, by differences of shape (repeats, n) for each pair."""
    return np.any([rejects(differences, level) for differences in pairs], axis=0).tolist()


def looks(repeats: int) -> float:
    samples = np.random.default_rng(6).normal(size=(repeats, 60))
    return float(np.mean(any_of([samples[:, :count] for count in range(6, 61)], LEVEL)))


def added_once(repeats: int) -> float:
    generator = np.random.default_rng(7)
    called = 0
    for _ in range(repeats):
        sample = generator.normal(size=60)
        decided = signed_rank(sample[:12]).p <= 0.05
        if not decided:
            more = predict_power(sample[:12]).more
            decided = signed_rank(sample[: min(12 + max(more or 48, 1), 60)]).p <= 0.05
        called += decided
    return called / repeats


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


SECTIONS: dict[str, Callable[[int], None]] = {
    "tests": tests,
    "shifts": shifts,
    "improvement": improvement,
    "speed": speeds,
    "equivalence": equivalence,
    "bayes": bayes,
    "more": needed,
    "overall": overall,
    "ranks-here": partial(rankings, "these benchmarks", 0.0, 0.0),
    "ranks-common": partial(rankings, "these benchmarks, where half of the noise of a seed is common", 0.0, COMMON),
    "ranks-alike": partial(rankings, "benchmarks like these", VARIED, 0.0),
    "bands": bands,
    "families": families,
    "evidence": evidence,
    "power": powers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10_000)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections: {', '.join(SECTIONS)}")
    arguments = parser.parse_args()
    for name in arguments.only.split(","):
        SECTIONS[name](arguments.repeats)


if __name__ == "__main__":
    main()
