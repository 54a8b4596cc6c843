"""Normalised scores, bootstrap intervals, profiles, areas."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from hpoctl.analysis.resampling import Statistic, drawn_seeds, intervals, weighted_middle_means
from hpoctl.analysis.scores import mean_height, normalised, profile
from traces import trace


def test_scores_run_from_the_best_to_the_worst() -> None:
    assert normalised(np.array([[3.0, 1.0], [2.0, 5.0]]), log=False).tolist() == [[0.5, 0.0], [0.25, 1.0]]
    assert normalised(np.array([1.0, 10.0, 100.0]), log=True).tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert normalised(np.array([2.0, 2.0]), log=False).tolist() == [0.0, 0.0]
    assert normalised(np.array([2.0, np.inf, 4.0]), log=False).tolist() == [0.0, 1.0, 1.0]


def test_weighted_summaries_are_those_of_the_samples() -> None:
    generator = np.random.default_rng(1)
    values = generator.integers(0, 9, 13).astype(float)
    weights = generator.multinomial(13, np.full(13, 1 / 13), size=20)
    for sample, middle in zip(weights, weighted_middle_means(values, weights), strict=True):
        assert middle == pytest.approx(stats.trim_mean(np.repeat(values, sample), 0.25))


def pooled(scores: list[np.ndarray]) -> Statistic:
    every = np.concatenate(scores)
    return lambda weights: np.stack(
        [weighted_middle_means(column, np.concatenate(list(weights), axis=1)) for column in every.T], axis=1
    )


def test_benchmarks_that_are_drawn_make_the_interval_wider() -> None:
    generator = np.random.default_rng(2)
    scores = [level + 0.01 * generator.random((20, 1)) for level in (0.1, 0.3, 0.6, 0.9)]
    (here,) = intervals([range(20)] * 4, pooled(scores), benchmarks=False)
    (alike,) = intervals([range(20)] * 4, pooled(scores), benchmarks=True)
    assert alike.high - alike.low > 10 * (here.high - here.low)


def test_seeds_are_drawn_for_all_methods_together() -> None:
    shared = np.random.default_rng(3).random((15, 1))
    one, other = intervals(
        [range(15)], pooled([np.concatenate([shared, shared], axis=1)]), benchmarks=True, repeats=100
    )
    assert one == other


def test_the_bootstrap_over_seeds_covers_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(4)
    repeats, covered = 60, 0
    for _ in range(repeats):
        scores = [generator.random((20, 1)) for _ in range(4)]
        (interval,) = intervals([range(20)] * 4, pooled(scores), benchmarks=False, repeats=200)
        covered += interval.holds(0.5)
    assert covered / repeats >= 0.93 - 3.3 * np.sqrt(0.07 * 0.93 / repeats)


def test_profiles_count() -> None:
    assert profile(np.array([0.0, 0.1, 0.1, 0.9]), (0.0, 0.1, 0.5, 1.0)) == (0.25, 0.75, 0.75, 1.0)


def test_the_mean_of_a_curve_over_time_by_hand() -> None:
    curve = trace([8.0, 4.0, 2.0], [1.0, 3.0, 7.0])
    # From 2 to 10: 8 for a second, 4 for four, 2 for three.
    assert mean_height(curve, 2.0, 10.0, log=False) == pytest.approx((8 + 16 + 6) / 8)
    assert np.log2(mean_height(curve, 2.0, 10.0, log=True)) == pytest.approx((3 + 8 + 3) / 8)
    assert mean_height(curve, 1.0, 2.0, log=False) == 8.0


def test_seeds_are_drawn_for_all_benchmarks_that_have_them_together() -> None:
    """Where a seed has the same noise on all benchmarks, their mean is as uncertain as one of them."""
    shared = np.random.default_rng(5).random((20, 1))
    (one,) = intervals([range(20)], pooled([shared]), benchmarks=False)
    (four,) = intervals([range(20)] * 4, pooled([shared] * 4), benchmarks=False)
    (apart,) = intervals([range(20 * n, 20 * n + 20) for n in range(4)], pooled([shared] * 4), benchmarks=False)
    assert four.high - four.low == pytest.approx(one.high - one.low, rel=0.1)
    assert apart.high - apart.low < 0.7 * (one.high - one.low)


def test_each_benchmark_has_a_bootstrap_sample_of_its_seeds() -> None:
    seeds: list[Sequence[int]] = [range(10), range(10), range(1, 10), range(30, 40), [4]]
    first, same, fewer, apart, one = drawn_seeds(seeds, 4000, np.random.default_rng(6))
    assert np.array_equal(first, same)
    assert [set(own.sum(axis=1)) for own in (first, fewer, apart, one)] == [{10}, {9}, {10}, {1}]
    # A seed is drawn a binomial number of times: the variance is 1 - 1 / n.
    assert [float(own.var(axis=0).mean()) for own in (first, fewer, apart)] == pytest.approx(
        [0.9, 8 / 9, 0.9], rel=0.05
    )
    assert [float(own.mean(axis=0).std()) for own in (first, fewer, apart)] == pytest.approx([0.0] * 3, abs=0.05)
    together = [float(np.corrcoef(first[:, 1 + place], fewer[:, place])[0, 1]) for place in range(9)]
    assert min(together) > 0.9
    assert abs(float(np.corrcoef(first[:, 0], apart[:, 0])[0, 1])) < 0.1


def test_one_missing_seed_leaves_the_other_seeds_together() -> None:
    shared = np.random.default_rng(7).random((20, 1))
    (whole,) = intervals([range(20)] * 4, pooled([shared] * 4), benchmarks=False)
    (lost,) = intervals(
        [range(20), range(19), range(1, 20), range(20)],
        pooled([shared, shared[:19], shared[1:], shared]),
        benchmarks=False,
    )
    assert lost.high - lost.low == pytest.approx(whole.high - whole.low, rel=0.15)
