"""What seeds can detect, and how many more would decide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nct, t

from hpoctl.analysis.paired import signed_rank
from hpoctl.analysis.power import EFFICIENCY, MOST, detectable_effect, more_seeds, power_of, seeds_needed


def rejections(effect: float, count: int, repeats: int = 500) -> float:
    generator = np.random.default_rng(count)
    return float(np.mean([signed_rank(generator.normal(effect, 1.0, count)).p <= 0.05 for _ in range(repeats)]))


def test_published_power_of_the_t_test() -> None:
    # A paired t-test with 20 pairs detects .66 standard deviations at 80 % (Cohen 1988); the signed-rank test needs
    # 1 / .955 as many pairs.
    effect = detectable_effect(20)
    assert effect is not None
    cut = t.isf(0.025, 19)
    assert 1.0 - nct.cdf(cut, 19, 0.6604 * np.sqrt(20)) == pytest.approx(0.8, abs=0.001)
    assert effect == pytest.approx(0.6604 / np.sqrt(EFFICIENCY), abs=0.01)


@pytest.mark.parametrize("count", [8, 15, 30])
def test_the_power_is_what_a_simulation_shows(count: int) -> None:
    effect = detectable_effect(count)
    assert effect is not None
    assert rejections(effect, count) == pytest.approx(0.8, abs=3.3 * np.sqrt(0.16 / 500) + 0.02)


def test_too_few_pairs_detect_nothing() -> None:
    assert power_of(10.0, 5) == 0.0
    assert detectable_effect(5) is None
    assert seeds_needed(np.inf) == 6
    assert rejections(50.0, 5) == 0.0


@given(st.floats(0.1, 3.0))
def test_the_number_of_seeds_is_the_smallest_one(effect: float) -> None:
    needed = seeds_needed(effect)
    assert needed is not None
    assert power_of(effect, needed) >= 0.8
    assert power_of(effect, needed - 1) < 0.8


def test_no_difference_needs_more_than_anybody_has() -> None:
    assert seeds_needed(0.0) is None
    assert seeds_needed(0.001) is None
    found = more_seeds(np.array([1.0, -1.0] * 6), np.random.default_rng(0))
    assert found.more is None
    assert found.interval[1] is None


def test_how_many_more() -> None:
    differences = np.random.default_rng(3).normal(0.5, 1.0, 12)
    found = more_seeds(differences, np.random.default_rng(0))
    effect = float(abs(np.mean(differences)) / np.std(differences, ddof=1))
    assert found.more == seeds_needed(effect) - 12  # type: ignore[operator]
    low, high = found.interval
    assert low is not None
    assert low <= found.more <= (MOST if high is None else high)
    assert found.detectable == pytest.approx(detectable_effect(12) * np.std(differences, ddof=1))  # type: ignore[operator]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.25, 16.0]))
def test_the_number_of_seeds_has_no_unit_and_no_sign(seed: int, scale: float) -> None:
    differences = np.random.default_rng(seed).normal(0.5, 1.0, 10)
    one = more_seeds(differences, np.random.default_rng(0))
    other = more_seeds(-scale * differences, np.random.default_rng(0))
    assert (one.more, one.interval) == (other.more, other.interval)
    assert other.detectable == pytest.approx(scale * one.detectable)  # type: ignore[operator]


def test_equal_differences_are_detected_with_the_fewest_pairs() -> None:
    found = more_seeds(np.full(4, 0.5), np.random.default_rng(0))
    assert (found.more, found.interval) == (2, (2, 2))
    assert more_seeds(np.zeros(4), np.random.default_rng(0)).more is None
