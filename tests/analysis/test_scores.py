"""Normalised scores, bootstrap intervals, profiles, areas."""

import numpy as np
import pytest
from scipy import stats

from hpoctl.analysis.scores import bootstrapped, mean_height, normalised, profile
from traces import trace


def test_scores_run_from_the_best_to_the_worst() -> None:
    assert normalised(np.array([[3.0, 1.0], [2.0, 5.0]]), log=False).tolist() == [[0.5, 0.0], [0.25, 1.0]]
    assert normalised(np.array([1.0, 10.0, 100.0]), log=True).tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert normalised(np.array([2.0, 2.0]), log=False).tolist() == [0.0, 0.0]


def test_the_centre_is_the_interquartile_mean_of_all_seeds_and_benchmarks() -> None:
    generator = np.random.default_rng(1)
    scores = [generator.random((12, 2)), generator.random((8, 2))]
    found = bootstrapped(scores, generator, benchmarks=False, repeats=50)
    expected = stats.trim_mean(np.concatenate(scores), 0.25)
    assert [mean for mean, _ in found] == pytest.approx(np.asarray(expected).tolist())
    assert all(interval.low < mean < interval.high for mean, interval in found)


def test_benchmarks_that_are_drawn_make_the_interval_wider() -> None:
    generator = np.random.default_rng(2)
    scores = [level + 0.01 * generator.random((20, 1)) for level in (0.1, 0.3, 0.6, 0.9)]
    ((_, these),) = bootstrapped(scores, np.random.default_rng(0), benchmarks=False)
    ((_, such),) = bootstrapped(scores, np.random.default_rng(0), benchmarks=True)
    assert such.high - such.low > 10 * (these.high - these.low)


def test_seeds_are_drawn_for_all_methods_together() -> None:
    shared = np.random.default_rng(3).random((15, 1))
    scores = [np.concatenate([shared, shared], axis=1)]
    one, other = bootstrapped(scores, np.random.default_rng(0), benchmarks=True, repeats=100)
    assert one == other


def test_the_bootstrap_over_seeds_covers_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(4)
    repeats, covered = 60, 0
    for _ in range(repeats):
        scores = [generator.random((20, 1)) for _ in range(4)]
        ((_, interval),) = bootstrapped(scores, generator, benchmarks=False, repeats=200)
        covered += interval.low <= 0.5 <= interval.high
    assert covered / repeats >= 0.93 - 3.3 * np.sqrt(0.07 * 0.93 / repeats)


def test_profiles_count() -> None:
    assert profile(np.array([0.0, 0.1, 0.1, 0.9]), (0.0, 0.1, 0.5, 1.0)) == [0.25, 0.75, 0.75, 1.0]


def test_the_mean_of_a_curve_over_time_by_hand() -> None:
    curve = trace([8.0, 4.0, 2.0], [1.0, 3.0, 7.0])
    # From 2 to 10: 8 for a second, 4 for four, 2 for three.
    assert mean_height(curve, 2.0, 10.0, log=False) == pytest.approx((8 + 16 + 6) / 8)
    assert np.log2(mean_height(curve, 2.0, 10.0, log=True)) == pytest.approx((3 + 8 + 3) / 8)
    assert mean_height(curve, 1.0, 2.0, log=False) == 8.0
