import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hpoctl.gp.transforms import targets

ANY_FLOATS = arrays(np.float64, st.integers(1, 40), elements=st.floats(allow_nan=True, allow_infinity=True))


@settings(max_examples=50, deadline=None)
@given(ANY_FLOATS)
def test_any_values_give_finite_targets_in_the_same_order(values: np.ndarray) -> None:
    y = targets(values)
    assert y.shape == values.shape
    assert np.isfinite(y).all()
    finite = np.isfinite(values)
    order = np.argsort(values[finite], kind="stable")
    assert (np.diff(y[finite][order]) >= 0.0).all()
    if finite.any():
        assert (y[~finite] == y[finite].max()).all()


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, st.integers(2, 40), elements=st.floats(-100.0, 100.0)))
def test_targets_are_standardised(values: np.ndarray) -> None:
    y = targets(values)
    if y.any():
        np.testing.assert_allclose([y.mean(), y.std()], [0.0, 1.0], atol=1e-9)
    elif np.ptp(values) > 1e-9:
        pytest.fail("different values became equal")


def test_the_best_value_stays_the_only_best() -> None:
    y = targets([3.0, 1.0, 2.0, 1.5])
    assert np.argmin(y) == 1
    assert (y > y[1]).sum() == 3


def test_values_over_decades_are_taken_on_a_log_scale() -> None:
    y = targets(np.logspace(-6, 0, 7))
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0])


def test_values_within_a_decade_are_not() -> None:
    y = targets(np.linspace(1.0, 2.0, 5))
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0])


def test_far_outliers_are_cut_at_the_median_plus_twice_the_best_half() -> None:
    y = targets([-2.0, -1.0, 0.0, 1.0, 1e6])  # median 0, minimum -2: values end at 4
    np.testing.assert_allclose(y, targets([-2.0, -1.0, 0.0, 1.0, 4.0]))


def test_at_least_three_quarters_of_the_values_are_left_as_they_are() -> None:
    y = targets([-1.0, -1.0, -1.0, 3.0, 9.0])  # median and minimum -1, upper quartile 3
    np.testing.assert_allclose(y, targets([-1.0, -1.0, -1.0, 3.0, 3.0]))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8, 1e300])
def test_the_scale_of_the_metric_does_not_matter(scale: float) -> None:
    values = np.array([1.0, 1.3, 1.2, 2.0, 7.0])
    np.testing.assert_allclose(targets(scale * values), targets(values), rtol=1e-9)


@pytest.mark.parametrize("values", [[0.1] * 7, [np.nan] * 3, [np.inf], [5.0], [-np.inf, np.nan], [1e308] * 2])
def test_values_that_say_nothing_give_zeros(values: list[float]) -> None:
    np.testing.assert_array_equal(targets(values), np.zeros(len(values)))


def test_not_a_number_counts_as_the_worst() -> None:
    np.testing.assert_array_equal(targets([1.0, np.nan, 2.0, np.inf]), targets([1.0, 2.0, 2.0, 2.0]))


@pytest.mark.parametrize("values", [[], [[1.0]], 3.0])
def test_anything_but_a_list_of_values_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="shape"):
        targets(values)  # type: ignore[arg-type]
