"""Several benchmarks: errors of the tests over benchmarks, and coverage of the interval of a score."""

from itertools import combinations

import numpy as np
from coverage_rankings import COMMON, SEEDS, VARIED, benchmark_losses, blocks_of
from coverage_shared import CHECKED, bootstrap, check_intervals, ends, row, share, titles
from scipy.stats import rankdata

from hpoctl.analysis.across import compare_overall
from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.equivalence import signed_rank_posterior
from hpoctl.analysis.paired import LEVEL, holm
from hpoctl.analysis.resampling import Statistic, weighted_middle_means
from hpoctl.analysis.signed_rank import sign_flip_test, signed_rank
from hpoctl.analysis.traces import Trace

SCORE_SEEDS = 20


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


def overall(repeats: int) -> None:
    """Equal methods: how often the verdict over benchmarks claims a difference between any two of them."""
    titles(
        f"Over benchmarks, 4 methods that are equal on average, {SEEDS} seeds: studies with any false claim",
        repeats,
        "benchmarks",
        "these benchmarks",
        "these, half of the noise of a seed is common",
        "benchmarks like these",
        words=0,
    )
    for benchmarks in (4, 8, 10, 20):
        generator = np.random.default_rng(benchmarks)
        cells = []
        for varied, common in ((0.0, 0.0), (0.0, COMMON), (VARIED, 0.0)):
            called = []
            for repeat in range(repeats):
                losses = benchmark_losses(np.zeros(4), benchmarks, varied, common, generator)
                p = fast_pairs(losses, alike=varied > 0.0)
                if repeat < CHECKED:
                    check_pairs(losses, p, alike=varied > 0.0)
                called.append(min(p) <= LEVEL)
            cells.append(share(called))
        row(benchmarks, *cells)


def fast_pairs(losses: np.ndarray, *, alike: bool) -> list[float]:
    """The adjusted p values of all pairs of methods.

    Args:
        losses: Without ties, shape (benchmarks, seeds, methods).
        alike: Whether they are about benchmarks like these.
    """
    pairs = list(combinations(range(losses.shape[2]), 2))
    if alike:
        means = np.mean([block.scores for block in blocks_of(losses)], axis=1)
        return holm([signed_rank(means[:, one] - means[:, other]).p for one, other in pairs])
    differences = np.stack([losses[:, :, one] - losses[:, :, other] for one, other in pairs])
    signed = np.sign(differences) * rankdata(np.abs(differences), axis=2)
    return holm([sign_flip_test(sums).p for sums in np.sum(signed, axis=1)])


def check_pairs(losses: np.ndarray, p: list[float], *, alike: bool) -> None:
    """Ends the script where `compare` has other p values."""
    traces = [
        Trace("tag", f"M{method}", f"b{benchmark}", seed, "", "loss", "min", 1.0, np.ones(1), np.array([10.0 + value]))
        for (benchmark, seed, method), value in np.ndenumerate(losses)
    ]
    found = compare_overall(by_benchmark(traces))
    ours = [pair.p_alike_holm if alike else pair.p_holm for pair in found.pairs] if found else []
    if not np.allclose(ours, p):
        raise SystemExit(f"p values of the simulation differ from those of hpoctl: {p}, {ours}")


def scores(repeats: int) -> None:
    """The intervals of the interquartile mean over benchmarks and seeds."""
    titles(
        f"Score, {SCORE_SEEDS} seeds, SD 0.2 of benchmarks, 0.1 of seeds: how often intervals contain the truth",
        repeats,
        "benchmarks",
        "these benchmarks",
        "benchmarks like these",
        words=0,
    )
    for benchmarks in (2, 3, 4, 6, 10, 20):
        generator = np.random.default_rng([benchmarks, 22])
        held: dict[bool, list[bool]] = {False: [], True: []}
        for repeat in range(repeats):
            noise = generator.normal(0.0, 0.1, (benchmarks, SCORE_SEEDS))
            levels = generator.normal(0.0, 0.2, (benchmarks, 1))
            for alike, values in ((False, noise), (True, noise + levels)):
                found = ends(fast_middle_means(values, alike=alike)[None], benchmarks, SCORE_SEEDS, alike=alike)
                if repeat < CHECKED:
                    check_intervals(found, benchmarks, SCORE_SEEDS, middle_of(values), alike=alike)
                held[alike].append(bool(found[0][0] <= 0.0 <= found[1][0]))
        row(benchmarks, share(held[False]), share(held[True]))


def fast_middle_means(values: np.ndarray, *, alike: bool) -> np.ndarray:
    """`weighted_middle_means` with samples in the last axis and a sum by parts, which is faster, shape (samples,).

    Args:
        values: Shape (benchmarks, seeds).
        alike: Whether benchmarks are drawn, too.
    """
    order = np.argsort(values, axis=None)
    reached = np.cumsum(bootstrap(len(values), values.shape[1], alike).T[order], axis=0)
    total = reached[-1].copy()
    cut = total // 4
    np.clip(reached, cut, total - cut, out=reached)
    known = np.ravel(values)[order]
    sums = known[-1] * reached[-1] - known[0] * cut - np.diff(known) @ reached[:-1]
    return np.asarray(sums / (total - 2.0 * cut))


def middle_of(values: np.ndarray) -> Statistic:
    """The interquartile mean of all values, shape (benchmarks, seeds)."""
    return lambda weights: weighted_middle_means(np.ravel(values), np.concatenate(list(weights), axis=1))[:, None]
