"""Several benchmarks: coverage of intervals of ranks, ratings, win rates and scores, and errors of tests."""

from collections.abc import Sequence

import numpy as np
from coverage_shared import Generator, row, share, titles
from scipy.stats import norm

from hpoctl.analysis.across import Block, compare_overall, seed_ranks, win_tables
from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.equivalence import signed_rank_posterior
from hpoctl.analysis.ratings import ratings, win_rates
from hpoctl.analysis.resampling import Statistic, intervals, weighted_middle_means
from hpoctl.analysis.scores import normalised
from hpoctl.analysis.traces import Trace


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
    """The intervals of mean ranks, win rates and, in a tenth of the repetitions, ratings, over all methods."""
    titles(
        f"Intervals of 4 methods with 10 seeds about {about}: share with the truth (ratings: a tenth of them)",
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
            for repeat in range(repeats):
                blocks = benchmark_runs(means, benchmarks, varied, common, generator)
                for what, statistic in statistics_of(blocks).items():
                    if what == "rating" and repeat % 10:  # fitting them takes most of the time
                        continue
                    found = intervals([range(10)] * benchmarks, statistic, benchmarks=varied > 0.0)
                    held[what] += [each.holds(float(true)) for each, true in zip(found, truth[what], strict=True)]
            row(name, benchmarks, *(share(held[what]) for what in truth))


def scores(repeats: int) -> None:
    """The intervals of the interquartile mean over benchmarks and seeds."""
    titles(
        "Score, 20 seeds, benchmarks with a deviation of 0.2, seeds with 0.1: how often intervals hold the truth",
        repeats,
        "benchmarks",
        "these benchmarks",
        "benchmarks like these",
        words=0,
    )
    for benchmarks in (2, 3, 4, 6, 10, 20):
        generator = np.random.default_rng([benchmarks, 22])
        here, alike = [], []
        for _ in range(repeats):
            noise = generator.normal(0.0, 0.1, (benchmarks, 20))
            levels = generator.normal(0.0, 0.2, (benchmarks, 1))
            (interval,) = intervals([range(20)] * benchmarks, middle_of(noise), benchmarks=False)
            here.append(interval.holds(0.0))
            (interval,) = intervals([range(20)] * benchmarks, middle_of(noise + levels), benchmarks=True)
            alike.append(interval.holds(0.0))
        row(benchmarks, share(here), share(alike))


def middle_of(values: np.ndarray) -> Statistic:
    """The interquartile mean of all values, shape (benchmarks, seeds)."""
    return lambda weights: weighted_middle_means(np.ravel(values), np.concatenate(list(weights), axis=1))[:, None]
