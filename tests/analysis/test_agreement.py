"""Where another package does the same as we do, it says the same."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.libqsturng import qsturng
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from hpoctl.analysis.aggregate import band
from hpoctl.analysis.power import EFFICIENCY, power_of
from hpoctl.analysis.ranks import critical_difference, friedman
from hpoctl.analysis.resampling import expanded_tail, intervals, weighted_middle_means
from hpoctl.analysis.signed_rank import signed_rank


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
    expanded = stats.bootstrap(
        (values,),
        middle,
        n_resamples=20_000,
        confidence_level=1.0 - 2.0 * expanded_tail(20, 0.05),
        method="percentile",
        rng=np.random.default_rng(3),
    ).confidence_interval
    (score,) = intervals(
        [range(20)], lambda weights: weighted_middle_means(values, weights[0])[:, None], benchmarks=False, repeats=4000
    )
    assert score.low == pytest.approx(expanded.low, abs=0.06 * spread)
    assert score.high == pytest.approx(expanded.high, abs=0.06 * spread)


@pytest.mark.parametrize("count", [5, 10, 40])
def test_the_interval_of_a_mean_over_seeds_is_about_that_of_the_t_distribution(count: int) -> None:
    values = stats.norm.ppf((np.arange(count) + 0.5) / count)
    low, high = DescrStatsW(values).tconfint_mean(alpha=0.05)
    (found,) = intervals(
        [range(count)], lambda weights: (weights[0] @ values / count)[:, None], benchmarks=False, repeats=20_000
    )
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.12)


def test_signed_ranks_are_those_of_a_permutation_test_of_scipy() -> None:
    values = np.array([0.3, -0.1, 0.8, 0.8, -0.3, 1.2, 0.5, 0.0, 0.9])

    def excess(sample: np.ndarray) -> float:
        return float(np.sum(np.sign(sample) * stats.rankdata(np.abs(sample))))

    expected = stats.permutation_test((values,), excess, permutation_type="samples", n_resamples=np.inf)  # type: ignore[call-overload]
    assert signed_rank(values).p == pytest.approx(float(expected.pvalue))


def test_friedman_is_that_of_a_permutation_test_of_scipy() -> None:
    losses = np.round(np.random.default_rng(5).normal(size=(3, 3)), 1)
    ranks = stats.rankdata(losses, axis=1)

    def spread(*columns: np.ndarray) -> float:
        return float(np.sum([np.sum(column) ** 2 for column in columns]))

    # Every order of every block, 216 in all.
    orders = [np.array(list(permutations(block))) for block in ranks]
    observed = spread(*ranks.T)
    every = [spread(*np.stack(chosen).T) for chosen in product(*orders)]
    p, exact = friedman(ranks)
    assert exact
    assert p == pytest.approx(np.mean(np.array(every) >= observed - 1e-9))


def test_friedman_is_close_to_chi_square_with_many_benchmarks() -> None:
    losses = np.random.default_rng(5).normal(size=(40, 3)) + np.array([0.0, 0.2, 0.4])
    expected = float(stats.friedmanchisquare(*losses.T).pvalue)
    assert friedman(stats.rankdata(losses, axis=1))[0] == pytest.approx(expected, abs=0.02)
