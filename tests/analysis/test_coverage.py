"""Short simulations of what docs/explanation/statistics.md has long ones of: errors of tests, coverage of intervals."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.stats import norm, rankdata

from hpoctl.analysis.across import Block, seed_ranks, win_tables
from hpoctl.analysis.equivalence import signed_rank_posterior
from hpoctl.analysis.power import predict_power, seeds_needed
from hpoctl.analysis.ranks import critical_difference, friedman
from hpoctl.analysis.ratings import ratings, win_rates
from hpoctl.analysis.resampling import Statistic, intervals, weighted_middle_means
from hpoctl.analysis.scores import normalised
from hpoctl.analysis.signed_rank import signed_rank
from hpoctl.core.protocols import FloatArray, IntArray


def test_friedman_and_nemenyi_call_no_difference_too_often() -> None:
    generator = np.random.default_rng(6)
    repeats, critical = 300, critical_difference(5, 10)
    rejected, apart = 0, 0
    for _ in range(repeats):
        ranks = rankdata(np.round(generator.lognormal(size=(10, 5)), 1), axis=1)  # skewed, with some ties
        rejected += friedman(ranks, 999)[0] <= 0.05
        apart += np.ptp(np.mean(ranks, axis=0)) > critical
    for called in (rejected, apart):
        assert 0 < called <= repeats * (0.05 + 3.3 * np.sqrt(0.05 * 0.95 / repeats))


def test_many_pairs_keep_the_level_too() -> None:
    generator = np.random.default_rng(7)
    samples = [np.round(generator.standard_t(2.0, 230), 1) for _ in range(500)]
    called = np.mean([signed_rank(sample).p <= 0.05 for sample in samples])
    assert 0.0 < called <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 500)


def test_the_interval_of_how_many_more_seeds_holds_what_the_true_difference_needs() -> None:
    generator = np.random.default_rng(8)
    # P(d_i + d_j > 0) of normal differences with a mean of 0.5 deviations.
    truth = (seeds_needed(float(norm.cdf(0.5 * np.sqrt(2.0))) - 0.5) or 0) - 12
    repeats, held = 150, 0
    for _ in range(repeats):
        low, high = predict_power(generator.normal(0.5, 1.0, 12)).interval
        held += (low is not None and low <= truth) and (high is None or truth <= high)
    assert held / repeats >= 0.8 - 3.3 * np.sqrt(0.8 * 0.2 / repeats)


def test_the_proposed_seeds_decide_as_often_as_announced() -> None:
    # Effects of all sizes: P(d_i + d_j > 0) is uniform. The long form of this is in benchmarks/statistics_coverage.py.
    generator = np.random.default_rng(10)
    found: dict[str, list[bool]] = {"half": [], "more": []}
    for effect in generator.uniform(0.2, 0.8, 400):
        whole = generator.normal(norm.ppf(effect) / np.sqrt(2.0), 1.0, 1000)
        if signed_rank(whole[:12]).p <= 0.05:
            continue
        said = predict_power(whole[:12])
        for name, more in (("half", said.half), ("more", said.more)):
            if more is not None:
                found[name].append(signed_rank(whole[: 12 + more]).p <= 0.05)
    for name, nominal in (("half", 0.5), ("more", 0.8)):
        count = len(found[name])
        assert count > 100
        assert abs(float(np.mean(found[name])) - nominal) <= 0.05 + 3.3 * np.sqrt(nominal * (1.0 - nominal) / count)


def pooled(scores: list[np.ndarray]) -> Statistic:
    every = np.concatenate(scores)[:, 0]
    return lambda weights: weighted_middle_means(every, np.concatenate(list(weights), axis=1))[:, None]


def test_the_score_of_benchmarks_like_these_needs_many_of_them() -> None:
    generator = np.random.default_rng(9)
    repeats = 60
    covered = {}
    for benchmarks in (3, 20):
        held = 0
        for _ in range(repeats):
            scores = [generator.normal(0.5 + 0.2 * generator.normal(), 0.1, (10, 1)) for _ in range(benchmarks)]
            (interval,) = intervals([range(10)] * benchmarks, pooled(scores), benchmarks=True, repeats=150)
            held += interval.low <= 0.5 <= interval.high
        covered[benchmarks] = held / repeats
    assert covered[20] >= 0.92 - 3.3 * np.sqrt(0.92 * 0.08 / repeats)
    assert covered[3] < covered[20]


def statistic_of_wins(
    statistic: Callable[[FloatArray], FloatArray], blocks: Sequence[Block], weights: Sequence[IntArray]
) -> FloatArray:
    return statistic(win_tables(blocks, weights))


def test_intervals_of_ranks_ratings_and_win_rates_contain_the_truth() -> None:
    generator = np.random.default_rng(11)
    means, repeats = 0.6 * np.arange(3), 30
    wins = norm.cdf((means - means[:, None]) / np.sqrt(2.0))
    truth = {"rank": 0.5 + np.sum(1.0 - wins, axis=1), "rating": ratings(4 * wins), "win rate": win_rates(wins)}
    held = dict.fromkeys(truth, 0)
    for _ in range(repeats):
        losses = means + generator.normal(size=(4, 10, 3))
        blocks = [Block(range(10), each, normalised(each, log=False)) for each in losses]
        statistics: dict[str, Statistic] = {
            "rank": seed_ranks(blocks),
            "rating": partial(statistic_of_wins, ratings, blocks),
            "win rate": partial(statistic_of_wins, win_rates, blocks),
        }
        for name, statistic in statistics.items():
            found = intervals([range(10)] * 4, statistic, benchmarks=False, repeats=150)
            held[name] += sum(each.holds(float(true)) for each, true in zip(found, truth[name], strict=True))
    # The intervals of the three methods depend on each other: 30 repetitions count, not 90.
    for count in held.values():
        assert count / (3 * repeats) >= 0.9 - 3.3 * np.sqrt(0.9 * 0.1 / repeats)


def test_intervals_of_ranks_contain_the_truth_where_seeds_are_alike_on_all_benchmarks() -> None:
    generator = np.random.default_rng(13)
    means, repeats, held = 0.3 * np.arange(3), 100, 0
    truth = 0.5 + np.sum(norm.cdf((means[:, None] - means) / np.sqrt(2.0)), axis=1)
    for _ in range(repeats):
        common, separate = generator.normal(size=(10, 3)), generator.normal(size=(10, 10, 3))
        losses = means + np.sqrt(0.5) * (common + separate)
        ranks = seed_ranks([Block(range(10), each, normalised(each, log=False)) for each in losses])
        found = intervals([range(10)] * 10, ranks, benchmarks=False, repeats=300)
        held += sum(each.holds(float(true)) for each, true in zip(found, truth, strict=True))
    assert abs(held / (3 * repeats) - 0.94) <= 3.3 * np.sqrt(0.94 * 0.06 / repeats)


def test_the_bayesian_signed_rank_test_claims_differences_that_there_are() -> None:
    generator = np.random.default_rng(12)
    said = {
        mean: [signed_rank_posterior(generator.normal(-mean, 0.02, 10), 0.01).verdict for _ in range(20)]
        for mean in (0.0, 0.03)
    }
    assert said[0.0].count("better") + said[0.0].count("worse") <= 20 * (0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 20))
    assert said[0.03].count("better") >= 20 * (0.8 - 3.3 * np.sqrt(0.8 * 0.2 / 20))
    assert said[0.03].count("worse") == 0
