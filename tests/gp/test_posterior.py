import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.gp.kernels import Hyperparameters, covariance
from hpoctl.gp.posterior import condition

HYPER = Hyperparameters(np.array([0.4, 0.9]), 1.5, 0.01)


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n, 2)), rng.standard_normal(n)


@pytest.mark.parametrize("n", [1, 2, 30, 100])
def test_predictions_are_those_of_the_formula_with_the_inverse(n: int) -> None:
    x, y = data(n)
    new = np.random.default_rng(1).random((20, 2))
    inverse = np.linalg.inv(covariance(x, x, HYPER) + HYPER.noise * np.eye(n))
    mean = (inverse @ y).sum() / inverse.sum()
    cross = covariance(new, x, HYPER)
    posterior = condition(x, y, HYPER)
    predictions = posterior.predict(new)
    np.testing.assert_allclose(predictions.mean, mean + cross @ inverse @ (y - mean), atol=1e-9)
    np.testing.assert_allclose(posterior.predict_mean(new), predictions.mean, atol=1e-12)
    covariances = covariance(new, new, HYPER) - cross @ inverse @ cross.T
    np.testing.assert_allclose(predictions.variance, np.diagonal(covariances), atol=1e-9)
    for index in range(20):
        np.testing.assert_allclose(predictions.covariance_with(index), covariances[index], atol=1e-9)


def test_joint_and_single_predictions_agree() -> None:
    predictions = condition(*data(30), HYPER).predict(np.random.default_rng(2).random((70, 2)))
    joint = np.stack([predictions.covariance_with(index) for index in range(70)])
    np.testing.assert_allclose(np.diagonal(joint), predictions.variance, atol=1e-12)
    np.testing.assert_allclose(joint, joint.T, atol=1e-12)
    assert np.linalg.eigvalsh(joint).min() > -1e-9


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 50), st.integers(1, 5))
def test_data_as_predicted_keep_the_mean_and_lower_the_variance(seed: int, m: int) -> None:
    x, y = data(12, seed)
    pending = np.random.default_rng(seed + 100).random((m, 2))
    new = np.random.default_rng(seed + 200).random((30, 2))
    before = condition(x, y, HYPER)
    after = condition(np.vstack([x, pending]), np.append(y, before.predict_mean(pending)), HYPER)
    np.testing.assert_allclose(after.mean, before.mean, atol=1e-8)
    np.testing.assert_allclose(after.predict_mean(new), before.predict_mean(new), atol=1e-8)
    assert (after.predict(new).variance <= before.predict(new).variance + 1e-10).all()
    assert (after.predict(pending).variance < before.predict(pending).variance).all()


def test_noise_free_data_are_met_exactly() -> None:
    x, y = data(8)
    predictions = condition(x, y, Hyperparameters(np.array([0.2, 0.2]), 1.0, 1e-10)).predict(x)
    np.testing.assert_allclose(predictions.mean, y, atol=1e-6)
    assert (predictions.variance < 1e-8).all()
    assert (predictions.variance > 0.0).all()


def test_far_from_the_data_the_prior_comes_back() -> None:
    posterior = condition(*data(8), HYPER)
    far = posterior.predict(np.array([[1e3, 1e3]]))
    np.testing.assert_allclose([far.mean[0], far.variance[0]], [posterior.mean, HYPER.signal])


def test_repeated_inputs_without_noise_are_no_trouble() -> None:
    x = np.full((80, 2), 0.3)
    predictions = condition(x, np.linspace(-1.0, 1.0, 80), Hyperparameters(np.ones(2), 1.0, 0.0)).predict(x[:1])
    np.testing.assert_allclose(predictions.mean, 0.0, atol=1e-6)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="length scales"):
        condition(np.ones((2, 3)), np.zeros(2), HYPER)
    with pytest.raises(ValueError, match="shape"):
        condition(np.ones((2, 2)), np.zeros(3), HYPER)


@pytest.mark.parametrize("n", [1, 5, 150])
def test_means_at_the_data_are_the_predicted_ones_to_the_last_bit(n: int) -> None:
    posterior = condition(*data(n), HYPER)
    assert posterior.fitted().tobytes() == posterior.predict_mean(posterior.x).tobytes()
