import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gamma, kv

from hpoctl.gp.kernels import Hyperparameters, Pairs, correlation, correlation_and_slope, covariance

RNG = np.random.default_rng(0)


def bessel_form(r: np.ndarray, nu: float = 2.5) -> np.ndarray:
    """The Matern correlation for any nu (Rasmussen and Williams 2006, equation 4.14)."""
    s = np.sqrt(2.0 * nu) * r
    return 2.0 ** (1.0 - nu) / gamma(nu) * s**nu * kv(nu, s)


def test_the_closed_form_is_the_bessel_form() -> None:
    r = np.logspace(-3, 2, 200)
    np.testing.assert_allclose(correlation(r**2), bessel_form(r), rtol=1e-9)


def test_correlation_at_zero_and_at_one() -> None:
    np.testing.assert_array_equal(correlation(np.array([0.0])), [1.0])
    # (1 + sqrt 5 + 5/3) exp(-sqrt 5)
    np.testing.assert_allclose(correlation(np.array([1.0])), [0.52399411], rtol=1e-7)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0, 1e6))
def test_correlation_lies_between_zero_and_one_and_falls(square: float) -> None:
    near, far = correlation(np.array([square, 1.1 * square + 1e-3]))
    assert 0.0 <= far <= near <= 1.0


@settings(max_examples=50, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_slope_is_the_derivative_by_a_log_length_scale(log_l: float, difference: float, rest: float) -> None:
    def square(theta: float) -> np.ndarray:
        return np.array([(difference / np.exp(theta)) ** 2 + rest])

    step = 1e-5
    numeric = (correlation(square(log_l + step)) - correlation(square(log_l - step))) / (2.0 * step)
    k, slope = correlation_and_slope(square(log_l))
    np.testing.assert_allclose(slope * (difference / np.exp(log_l)) ** 2, numeric, atol=1e-8)
    np.testing.assert_allclose(k, correlation(square(log_l)), rtol=1e-14)


def test_pairs_give_the_lower_triangle_of_the_covariance() -> None:
    x = RNG.random((7, 3))
    hyper = Hyperparameters(np.array([0.3, 1.0, 4.0]), 2.0, 0.1)
    pairs = Pairs.of(x)
    full = np.zeros((7, 7))
    full.ravel()[pairs.flat] = hyper.signal * correlation(pairs.square_distances(hyper.length_scales))
    np.testing.assert_allclose(full, np.tril(covariance(x, x, hyper), -1), rtol=1e-12)


def test_weighted_squares() -> None:
    x = RNG.random((5, 2))
    pairs = Pairs.of(x)
    weights = RNG.standard_normal(len(pairs.i))
    expected = [
        sum(v * (x[i, c] - x[j, c]) ** 2 for v, i, j in zip(weights, pairs.i, pairs.j, strict=True)) for c in (0, 1)
    ]
    np.testing.assert_allclose(pairs.weighted_squares(weights), expected)


def test_one_point_has_no_pairs() -> None:
    pairs = Pairs.of(np.ones((1, 4)))
    assert pairs.square_distances(np.ones(4)).shape == (0,)
    np.testing.assert_array_equal(pairs.weighted_squares(np.zeros(0)), np.zeros(4))


@pytest.mark.parametrize("d", [1, 3, 30])
def test_covariance_is_symmetric_and_positive_semidefinite(d: int) -> None:
    x = RNG.random((40, d))
    k = covariance(x, x, Hyperparameters(np.full(d, 0.7), 3.0, 0.0))
    np.testing.assert_array_equal(k, k.T)
    np.testing.assert_array_equal(np.diagonal(k), 3.0)
    assert np.linalg.eigvalsh(k).min() > -1e-12


def test_hyperparameters_to_vector_and_back() -> None:
    theta = np.array([0.5, -2.0, 1.0, -6.0])
    hyper = Hyperparameters.from_vector(theta)
    np.testing.assert_allclose(hyper.length_scales, np.exp([0.5, -2.0]))
    np.testing.assert_allclose(hyper.vector(), theta)


def test_a_correlation_does_not_depend_on_where_it_stands() -> None:
    squares = np.random.default_rng(0).exponential(3.0, (150, 130))  # more than are worked on at a time
    each = np.concatenate([correlation(squares.ravel()[start : start + 1]) for start in range(squares.size)])
    before = squares.copy()
    for given_as in (squares, np.asfortranarray(squares)):
        assert (correlation(given_as) == each.reshape(squares.shape)).all()
    assert (squares == before).all()
