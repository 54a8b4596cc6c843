"""What seeds can detect, and how many more would decide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nct, t

from hpoctl.analysis.paired import hodges_lehmann
from hpoctl.analysis.power import (
    EFFECTS,
    EFFICIENCY,
    MOST,
    detectable_effect,
    likely_effects,
    power_of,
    predict_power,
    predictive_power,
    rank_effect,
    seeds_needed,
    tied_spread,
)
from hpoctl.analysis.signed_rank import critical_sum, signed_rank


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
    assert seeds_needed(0.5) == 11
    assert rejections(50.0, 5) == 0.0


@pytest.mark.parametrize(("share", "needed"), [(0.77, 36), (0.74, 46), (0.59, 323)])
def test_the_number_of_seeds_is_that_of_noether(share: float, needed: int) -> None:
    # (1.960 + 0.842)^2 / (3 (p - 1/2)^2), by hand; simulated needs of 35, 45 and 313 seeds are close to it.
    assert seeds_needed(share - 0.5) == needed


def test_the_effect_by_hand() -> None:
    # Sums of two of -1, 2, 3: 1, 2, 5, all positive; of -2, 1, 2: -1, 0, 3.
    assert rank_effect(np.array([-1.0, 2.0, 3.0])) == 0.5
    assert rank_effect(np.array([-2.0, 1.0, 2.0])) == 0.0
    assert rank_effect(np.array([-1.0, np.inf, 2.0])) == 0.5


def test_no_difference_needs_more_seeds_than_are_worth_a_number() -> None:
    assert seeds_needed(0.0) is None
    assert seeds_needed(0.01) is None
    found = predict_power(np.tile([1.0, -1.0, 0.5, -0.5], 10))
    assert (found.more, found.interval[1]) == (None, None)
    assert found.predictive is not None
    assert 0.0 < found.predictive < 0.8


def test_how_many_more() -> None:
    differences = np.random.default_rng(3).normal(0.5, 1.0, 12)
    found = predict_power(differences)
    assert found.half is not None
    assert found.more is not None
    assert found.predictive is not None
    assert found.half < found.more
    effect, spread = rank_effect(differences), tied_spread(differences)
    for more, wanted in ((found.half, 0.5), (found.more, 0.8)):
        assert predictive_power(effect, 12, more, spread=spread) >= wanted
        assert predictive_power(effect, 12, more - 1, spread=spread) < wanted
    assert found.predictive == predictive_power(effect, 12, found.more, spread=spread)
    low, high = found.interval
    needed = seeds_needed(effect)
    assert low is not None
    assert needed is not None
    assert low <= needed - 12 <= (MOST if high is None else high)
    assert found.detectable == pytest.approx(detectable_effect(12) * np.std(differences, ddof=1))  # type: ignore[operator]


def test_no_number_where_mean_and_shift_point_to_different_methods() -> None:
    # Eleven small differences one way, one large one the other way.
    found = predict_power(np.array([-0.1 - 0.01 * place for place in range(11)] + [9.0]))
    assert (found.more, found.half, found.interval, found.predictive) == (None, None, (None, None), None)
    assert found.contradicts


@settings(max_examples=50)
@given(st.lists(st.integers(-20, 20).map(lambda value: value / 4.0), min_size=6, max_size=20))
def test_a_number_is_given_only_where_the_mean_and_the_shift_that_is_shown_agree(values: list[float]) -> None:
    differences = np.array(values)
    shift, mean = hodges_lehmann(differences)[0], float(np.mean(differences))
    found = predict_power(differences)
    if mean * shift < 0.0:
        assert found.contradicts
        assert (found.more, found.half, found.predictive) == (None, None, None)


def test_the_shift_decides_where_the_ranks_alone_agree_with_the_mean() -> None:
    differences = np.array([2.25, -0.14, -1.01, -0.86, 0.91, 0.61, -0.67, -0.95, -0.73, 2.43])
    assert hodges_lehmann(differences)[0] < 0.0 < float(np.mean(differences))
    assert rank_effect(differences) >= 0.0
    assert predict_power(differences).contradicts


def test_small_differences_contradict_each_other_as_large_ones_do() -> None:
    # The product of a mean and a shift of 1e-170 is 0.
    differences = 1e-170 * np.array([2.25, -0.14, -1.01, -0.86, 0.91, 0.61, -0.67, -0.95, -0.73, 2.43])
    assert predict_power(differences).contradicts


def test_predictive_power_grows_with_seeds_and_is_below_certainty() -> None:
    found = [predictive_power(0.2, 12, more) for more in (10, 40, 160, 640)]
    assert found == sorted(found)
    assert 0.3 < found[1] < found[-1] < 1.0
    # With many seeds the effect is known: the predictive power is the power of the test.
    assert predictive_power(0.2, 300, 1) > 0.99


@pytest.mark.parametrize("effect", [0.0, 0.15])
def test_predictive_power_is_the_mean_power_over_the_effects_that_are_left(effect: float) -> None:
    # Effects from the posterior, then the effect of the new pairs, then the test of all: by simulation.
    n, more, generator = 20, 60, np.random.default_rng(4)
    drawn = generator.choice(EFFECTS, size=200_000, p=likely_effects(effect, n))
    variance = np.maximum(1.0 - 4.0 * drawn**2, 1.0 / more) * (2 * more - 1) / (6 * more * (more - 1))
    new = generator.normal(drawn, np.sqrt(variance))
    whole = (n * effect + more * new) / (n + more)
    cut = 0.5 - (2.0 * critical_sum(n + more, 0.05) + 1.0) / ((n + more) * (n + more + 1.0))
    decided = float(np.mean(np.abs(whole) >= cut))
    assert predictive_power(effect, n, more) == pytest.approx(decided, abs=3.3 * 0.5 / np.sqrt(200_000))


def test_zeros_and_ties_make_the_statistic_less_variable() -> None:
    assert tied_spread(np.arange(1.0, 9.0)) == pytest.approx(1.0)
    assert tied_spread(np.zeros(8)) == 0.0
    # Ranks by hand: two zeros share 1.5, two ones 3.5: 2 * 3.5^2 of 4 * 5 * 9 / 6.
    assert tied_spread(np.array([0.0, 1.0, -1.0, 0.0])) == pytest.approx(24.5 / 30.0)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.25, 16.0]))
def test_the_number_of_seeds_has_no_unit_and_no_sign(seed: int, scale: float) -> None:
    differences = np.random.default_rng(seed).normal(0.5, 1.0, 10)
    one, other = predict_power(differences), predict_power(-scale * differences)
    assert (one.more, one.interval, one.contradicts) == (other.more, other.interval, other.contradicts)
    assert other.detectable == pytest.approx(scale * one.detectable)  # type: ignore[operator]


def test_equal_differences_have_no_size_that_could_be_detected() -> None:
    found = predict_power(np.full(8, 0.5))
    assert (found.detectable, found.more) == (None, 1)
    assert predict_power(np.zeros(8)).more is None
    assert predict_power(np.zeros(8)).detectable is None
    assert predict_power(np.full(8, 0.1) + np.array([1e-17] * 8)).detectable is None
