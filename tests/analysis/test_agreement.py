"""Where another package does the same as we do, it says the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.libqsturng import qsturng
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from hpoctl.analysis.aggregate import band
from hpoctl.analysis.paired import binomial_interval, signed_rank
from hpoctl.analysis.power import EFFICIENCY, power_of
from hpoctl.analysis.ranks import critical_difference, mean_ranks
from hpoctl.analysis.scores import bootstrapped
from hpoctl.analysis.time_to_target import time_to_target
from traces import trace


@given(st.integers(1, 60), st.data())
def test_the_interval_of_a_probability_is_that_of_statsmodels(count: int, data: st.DataObject) -> None:
    wins = data.draw(st.integers(0, count))
    low, high = proportion_confint(wins, count, method="beta")
    found = binomial_interval(wins, count)
    # Where all or none is won statsmodels has no end there, and we have 1 or 0.
    assert (found.low, found.high) == pytest.approx((np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0)))


@settings(max_examples=20)
@given(st.floats(0.05, 0.7), st.integers(6, 80))
def test_the_power_is_that_of_the_t_test_of_statsmodels(effect: float, count: int) -> None:
    expected = float(TTestPower().power(effect, EFFICIENCY * count, 0.05, df=EFFICIENCY * count - 1.0))
    assert power_of(effect, count) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("methods", [3, 5, 8])
def test_the_critical_difference_is_that_of_the_quantiles_of_statsmodels(methods: int) -> None:
    quantile = float(qsturng(0.95, methods, np.inf)) / np.sqrt(2.0)
    expected = quantile * np.sqrt(methods * (methods + 1) / (6.0 * 10))
    assert critical_difference(methods, 10) == pytest.approx(expected, abs=2e-3)


def test_the_interval_of_a_mean_is_that_of_statsmodels() -> None:
    values = np.random.default_rng(1).normal(size=(15, 1))
    found = band(values, np.array([1.0]), "mean")
    low, high = DescrStatsW(values[:, 0]).tconfint_mean(alpha=0.05)
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))


def test_the_bootstrap_of_the_interquartile_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(2).lognormal(size=20)

    def middle(sample: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(stats.trim_mean(sample, 0.25, axis=axis))

    expected = stats.bootstrap(
        (values,), middle, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    found = band(values[:, None], np.array([1.0]), "iqm_bootstrap", resamples=20_000)
    spread = expected.high - expected.low
    assert found.low[0] == pytest.approx(expected.low, abs=0.03 * spread)
    assert found.high[0] == pytest.approx(expected.high, abs=0.03 * spread)
    ((_, score),) = bootstrapped([values[:, None]], np.random.default_rng(4), benchmarks=False, repeats=4000)
    assert score.low == pytest.approx(expected.low, abs=0.06 * spread)
    assert score.high == pytest.approx(expected.high, abs=0.06 * spread)


@given(st.integers(8, 40), st.integers(0, 10**6))
def test_the_interval_of_a_median_ratio_is_that_of_the_quantile_test_of_scipy(count: int, seed: int) -> None:
    ratios = np.random.default_rng(seed).lognormal(size=count)
    first = [trace([1.0], [ratio], budget=1e9) for ratio in ratios]
    second = [trace([1.0], [1.0], budget=1e9) for _ in ratios]
    found = time_to_target(first, second, 1e9).interval
    expected = stats.quantile_test(ratios, p=0.5).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))  # type: ignore[attr-defined]


def test_signed_ranks_are_those_of_a_permutation_test_of_scipy() -> None:
    values = np.array([0.3, -0.1, 0.8, 0.8, -0.3, 1.2, 0.5, 0.0, 0.9])

    def excess(sample: np.ndarray) -> float:
        return float(np.sum(np.sign(sample) * stats.rankdata(np.abs(sample))))

    expected = stats.permutation_test((values,), excess, permutation_type="samples", n_resamples=np.inf)  # type: ignore[call-overload]
    assert signed_rank(values).p == pytest.approx(float(expected.pvalue))


def test_friedman_by_its_own_formula() -> None:
    losses = np.random.default_rng(5).normal(size=(9, 4))
    found = mean_ranks(losses)
    ranks = np.array(found.mean_ranks)
    statistic = 12.0 * 9 / (4 * 5) * (np.sum(ranks**2) - 4 * 25 / 4)  # Demsar (2006)
    assert found.friedman_p == pytest.approx(float(stats.chi2.sf(statistic, 3)))
