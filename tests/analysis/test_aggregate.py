"""Lines and bands over seeds: worked by hand, against scipy, by their properties, and their coverage in simulation."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from hpoctl.analysis.aggregate import Aggregate, Band, band, interquartile_mean, times_up_to, values_at
from hpoctl.analysis.traces import Trace

AGGREGATES: list[Aggregate] = ["iqm_bootstrap", "mean", "median"]
VALUES = arrays(
    float, st.tuples(st.integers(2, 9), st.integers(1, 6)), elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
)
POSITIVE = arrays(float, st.tuples(st.integers(2, 9), st.integers(1, 6)), elements=st.floats(1e-6, 1e6))


def make(values: np.ndarray, aggregate: Aggregate = "iqm_bootstrap", **options: Any) -> Band:
    return band(values, np.arange(1.0, values.shape[1] + 1), aggregate, **options)


def trace(times: list[float], values: list[float]) -> Trace:
    return Trace("t", "RS", "toy", 0, "", "loss", "min", 10.0, np.array(times), np.array(values))


# --- by hand ---


def test_times_end_at_the_budget() -> None:
    assert times_up_to(10.0, 4).tolist() == [2.5, 5.0, 7.5, 10.0]


def test_values_are_known_from_the_first_one_on() -> None:
    found = values_at([trace([2.0, 5.0], [3.0, 1.0]), trace([], [])], np.array([1.0, 2.0, 4.9, 5.0, 9.0]))
    assert np.array_equal(found[0], [np.nan, 3.0, 3.0, 1.0, 1.0], equal_nan=True)
    assert np.isnan(found[1]).all()


def test_the_interquartile_mean_leaves_a_quarter_out_at_either_end() -> None:
    values = np.array([[100.0], [1.0], [2.0], [3.0], [4.0], [-50.0], [0.0], [9.0]])
    assert interquartile_mean(values).tolist() == [2.5]  # of -50 0 | 1 2 3 4 | 9 100
    assert interquartile_mean(values[:3]).tolist() == [103.0 / 3.0]  # a quarter of three trims none


def test_mean_and_interval_of_students_t() -> None:
    line = make(np.array([[1.0], [2.0], [3.0], [6.0]]), "mean")
    # sd of 1 2 3 6 is 2.1602, t(3) at .975 is 3.1824, 2.1602 / 2 * 3.1824 = 3.4374
    assert line.centre.tolist() == [3.0]
    assert line.low[0] == pytest.approx(-0.4374, abs=1e-4)
    assert line.high[0] == pytest.approx(6.4374, abs=1e-4)
    assert line.seeds == 4


def test_median_and_quartiles() -> None:
    line = make(np.array([[1.0], [2.0], [3.0], [4.0], [10.0]]), "median")
    assert (line.centre[0], line.low[0], line.high[0]) == (3.0, 2.0, 4.0)


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_a_single_seed_has_a_line_and_no_band(aggregate: Aggregate) -> None:
    line = make(np.array([[np.nan, 2.0, 1.0]]), aggregate)
    assert np.array_equal(line.centre, [np.nan, 2.0, 1.0], equal_nan=True)
    assert np.isnan(line.low).all()
    assert np.isnan(line.high).all()


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_a_line_begins_when_every_seed_has_a_value(aggregate: Aggregate) -> None:
    line = make(np.array([[4.0, 3.0, 3.0], [np.nan, 5.0, 1.0]]), aggregate)
    assert np.isnan([line.centre[0], line.low[0], line.high[0]]).all()
    assert line.centre[1:].tolist() == [4.0, 2.0]


def test_seeds_that_agree_have_a_band_of_no_width() -> None:
    for simultaneous in (False, True):
        line = make(np.full((5, 3), 2.0), simultaneous=simultaneous)
        assert np.allclose([line.low, line.centre, line.high], 2.0, rtol=1e-12)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no seeds"):
        make(np.empty((0, 3)))
    with pytest.raises(ValueError, match="no such band"):
        make(np.ones((3, 3)), "median", simultaneous=True)


# --- by other means ---


@given(VALUES)
def test_the_interquartile_mean_is_that_of_scipy(values: np.ndarray) -> None:
    assert np.allclose(interquartile_mean(values), stats.trim_mean(values, 0.25, axis=0), rtol=1e-9, atol=1e-6)


@given(VALUES, st.integers(0, 2**32 - 1))
def test_the_bootstrap_is_that_of_resampled_seeds(values: np.ndarray, seed: int) -> None:
    count = len(values)
    drawn = np.random.default_rng([seed, count]).multinomial(count, np.full(count, 1.0 / count), size=50)
    samples = [interquartile_mean(np.repeat(values, times, axis=0)) for times in drawn]
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    line = make(values, seed=seed, resamples=50)
    assert np.allclose(line.low, low, rtol=1e-9, atol=1e-6)
    assert np.allclose(line.high, high, rtol=1e-9, atol=1e-6)


# --- properties ---


@given(VALUES, st.sampled_from(AGGREGATES), st.randoms(use_true_random=False))
def test_the_order_of_seeds_does_not_matter(values: np.ndarray, aggregate: Aggregate, random: Random) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    assert np.allclose(make(values, aggregate).centre, make(values[order], aggregate).centre, rtol=1e-9, atol=1e-6)


@given(VALUES, st.sampled_from(AGGREGATES))
def test_the_ends_are_in_order_and_within_the_seeds(values: np.ndarray, aggregate: Aggregate) -> None:
    line = make(values, aggregate)
    slack = 1e-9 * (1.0 + np.abs(values).max())
    assert (line.low <= line.high + slack).all()
    if aggregate != "mean":
        assert (line.low >= values.min(axis=0) - slack).all()
        assert (line.high <= values.max(axis=0) + slack).all()


@given(VALUES, st.booleans())
def test_equal_questions_have_equal_answers(values: np.ndarray, simultaneous: bool) -> None:
    one, two = (make(values, simultaneous=simultaneous, seed=3, resamples=40) for _ in range(2))
    assert np.array_equal(one.low, two.low)
    assert np.array_equal(one.high, two.high)


@given(POSITIVE)
def test_a_simultaneous_band_of_positive_values_is_positive_and_holds_its_line(values: np.ndarray) -> None:
    for aggregate in ("iqm_bootstrap", "mean"):
        line = make(values, aggregate, simultaneous=True, resamples=40)
        assert (line.low > 0.0).all()
        assert (line.low <= line.centre * (1 + 1e-9)).all()
        assert (line.high >= line.centre * (1 - 1e-9)).all()


def test_a_simultaneous_band_is_wider() -> None:
    values = np.random.default_rng(0).lognormal(size=(20, 40)).cumsum(axis=1)
    for aggregate in ("iqm_bootstrap", "mean"):
        one, all_of_it = make(values, aggregate), make(values, aggregate, simultaneous=True)
        assert np.log(all_of_it.high / all_of_it.low).mean() > 1.1 * np.log(one.high / one.low).mean()


# --- coverage, seeded: the numbers in docs/how-to/plot-a-study.md are from longer runs of the same ---

NORMAL_IQM = 0.0
LOGNORMAL_IQM = float(
    stats.lognorm.expect(lambda x: x, args=(1.0,), lb=stats.lognorm.ppf(0.25, 1.0), ub=stats.lognorm.ppf(0.75, 1.0))
    / 0.5
)


def covered(
    draw: Callable[[tuple[int, int]], np.ndarray],
    truth: float,
    count: int,
    aggregate: Aggregate,
    repetitions: int = 400,
) -> float:
    """The share of repetitions in which the interval at one time holds the truth; all at once, a column each."""
    line = make(draw((count, repetitions)), aggregate, resamples=500)
    return float(np.mean((line.low <= truth) & (truth <= line.high)))


def test_intervals_at_a_time_hold_the_truth() -> None:
    generator = np.random.default_rng(1)
    assert 0.92 <= covered(generator.standard_normal, 0.0, 20, "mean") <= 0.98
    assert 0.88 <= covered(generator.standard_normal, NORMAL_IQM, 20, "iqm_bootstrap") <= 0.97
    assert 0.86 <= covered(lambda shape: generator.lognormal(size=shape), LOGNORMAL_IQM, 20, "iqm_bootstrap") <= 0.97


def test_simultaneous_bands_hold_whole_lines() -> None:
    generator = np.random.default_rng(2)
    whole, pointwise = 0, 0
    for _ in range(60):
        walks = generator.standard_normal((20, 30)).cumsum(axis=1)
        for simultaneous in (True, False):
            line = make(walks, "mean", simultaneous=simultaneous, resamples=300)
            holds = bool(((line.low <= 0.0) & (line.high >= 0.0)).all())
            whole, pointwise = whole + (holds and simultaneous), pointwise + (holds and not simultaneous)
    assert whole >= 50
    assert pointwise < whole
