import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from hpoctl.gp.kernels import Hyperparameters, Pairs, covariance
from hpoctl.gp.likelihood import Priors, constant_mean, negative_log_likelihood, negative_log_posterior
from hpoctl.gp.linalg import whitening


def data(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n, d)), rng.standard_normal(n)


def central_differences(theta: np.ndarray, pairs: Pairs, y: np.ndarray, step: float = 1e-5) -> np.ndarray:
    steps = step * np.eye(len(theta))
    values = [
        [negative_log_posterior(theta + sign * each, pairs, y, Priors())[0] for sign in (1.0, -1.0)] for each in steps
    ]
    return np.array([(up - down) / (2.0 * step) for up, down in values])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([(1, 1), (2, 3), (9, 4), (70, 2)]))
def test_the_gradient_is_that_of_central_differences(seed: int, shape: tuple[int, int]) -> None:
    x, y = data(*shape, seed)
    rng = np.random.default_rng(seed)
    theta = np.append(rng.uniform(-1.5, 2.0, shape[1]), rng.uniform([-1.0, -5.0], [1.0, 0.0]))
    pairs = Pairs.of(x)
    _, gradient = negative_log_posterior(theta, pairs, y, Priors())
    np.testing.assert_allclose(gradient, central_differences(theta, pairs, y), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n", [1, 5, 100])
def test_the_likelihood_is_the_normal_density(n: int) -> None:
    x, y = data(n, 3)
    theta = np.array([-0.5, 0.3, 1.0, 0.2, -2.0])
    hyper = Hyperparameters.from_vector(theta)
    k = covariance(x, x, hyper) + hyper.noise * np.eye(n)
    mean = constant_mean(whitening(k), y)
    value, _ = negative_log_likelihood(theta, Pairs.of(x), y)
    np.testing.assert_allclose(value, -multivariate_normal.logpdf(y, np.full(n, mean), k), rtol=1e-9)


def test_the_constant_mean_makes_the_likelihood_greatest() -> None:
    x, y = data(20, 2)
    k = covariance(x, x, Hyperparameters(np.array([0.4, 0.4]), 1.0, 0.0)) + 0.1 * np.eye(20)
    inverse = np.linalg.inv(k)
    mean = constant_mean(whitening(k), y)
    np.testing.assert_allclose(mean, (inverse @ y).sum() / inverse.sum())
    density = [multivariate_normal.logpdf(y, np.full(20, mean + change), k) for change in (-0.01, 0.0, 0.01)]
    assert np.argmax(density) == 1


def test_priors_add_their_normal_densities() -> None:
    x, y = data(6, 2)
    theta = np.array([0.1, 0.2, 0.3, -3.0])
    pairs = Pairs.of(x)
    total, total_gradient = negative_log_posterior(theta, pairs, y, Priors())
    value, gradient = negative_log_likelihood(theta, pairs, y)

    def prior_alone(t: np.ndarray) -> float:
        means, sds = np.array([1.5, 1.5, 0.0, -4.0]), np.array([1.2, 1.2, 1.0, 1.5])
        return float(0.5 * (((t - means) / sds) ** 2).sum())

    np.testing.assert_allclose(total - value, prior_alone(theta))
    np.testing.assert_allclose(total_gradient - gradient, approx_fprime(theta, prior_alone, 1e-7), atol=1e-5)
