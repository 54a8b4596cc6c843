import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from hpoctl.gp.fitting import fit
from hpoctl.gp.kernels import Pairs
from hpoctl.gp.likelihood import Priors, negative_log_posterior
from hpoctl.gp.posterior import condition
from hpoctl.gp.transforms import targets


def sine(n: int, d: int, noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """A wave along the first input; the others do not matter."""
    rng = np.random.default_rng(n)
    x = rng.random((n, d))
    return x, targets(np.sin(6.0 * x[:, 0]) + noise * rng.standard_normal(n))


def test_it_finds_which_input_matters_and_how_noisy_the_data_are() -> None:
    x, y = sine(100, 4, noise=0.1)
    hyper = fit(x, y, Priors())
    assert hyper.length_scales[0] < 0.3 * hyper.length_scales[1:].min()
    assert 0.3 < hyper.noise / (0.1**2 / np.var(np.sin(6.0 * x[:, 0]))) < 3.0


def test_it_predicts_what_it_has_not_seen() -> None:
    x, y = sine(80, 3)
    posterior = condition(x, y, fit(x, y, Priors()))
    new = np.random.default_rng(9).random((200, 3))
    assert np.corrcoef(posterior.predict_mean(new), np.sin(6.0 * new[:, 0]))[0, 1] > 0.99


@pytest.mark.parametrize("seed", [1, 2, 9, 14])
def test_a_wave_through_few_points_is_not_taken_for_noise(seed: int) -> None:
    """From long length scales alone the search ends where all is noise, with a noise variance of about 0.8."""
    x = np.random.default_rng(seed).random((12, 1))
    hyper = fit(x, targets(np.sin(12.0 * x[:, 0])), Priors())
    assert hyper.noise < 0.01
    assert hyper.length_scales[0] < 0.3


def test_the_density_is_no_smaller_than_at_the_start_and_around_the_end() -> None:
    x, y = sine(60, 2)
    priors, pairs = Priors(), Pairs.of(x)
    theta = fit(x, y, priors).vector()
    at = negative_log_posterior(theta, pairs, y, priors)[0]
    start = np.array([each.mean for each in priors.all(2)])
    assert at < negative_log_posterior(start, pairs, y, priors)[0] - 1.0
    for step in np.concatenate([np.eye(4), -np.eye(4)]):
        assert negative_log_posterior(theta + 0.3 * step, pairs, y, priors)[0] > at


def test_the_fit_depends_on_nothing_but_the_data() -> None:
    x, y = sine(150, 10)
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, "blas"):
            hyper = fit(x, y, Priors())
            predictions = condition(x, y, hyper).predict(np.random.default_rng(0).random((200, 10)))
        found.append((hyper.vector().tobytes(), predictions.mean.tobytes(), predictions.variance.tobytes()))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("kind", ["one", "two", "constant", "duplicates", "wild", "not finite"])
def test_degenerate_data_are_no_trouble(kind: str, scale: float) -> None:
    rng = np.random.default_rng(0)
    x, values = {
        "one": (rng.random((1, 3)), np.ones(1)),
        "two": (rng.random((2, 3)), np.array([1.0, 2.0])),
        "constant": (rng.random((70, 3)), np.ones(70)),
        "duplicates": (np.full((70, 3), 0.5), rng.random(70)),
        "wild": (rng.random((70, 3)), 10.0 ** rng.uniform(-8, 8, 70)),
        "not finite": (rng.random((4, 3)), np.array([np.nan, 1.0, np.inf, 2.0])),
    }[kind]
    y = targets(scale * values)
    predictions = condition(x, y, fit(x, y, Priors())).predict(rng.random((50, 3)))
    assert np.isfinite(predictions.mean).all()
    assert (predictions.variance > 0.0).all()
    assert np.abs(predictions.mean).max() < 10.0


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.ones((2, 2)), np.ones(3)),
        (np.ones(3), np.ones(3)),
        (np.ones((0, 2)), np.ones(0)),
        (np.full((2, 2), np.nan), np.ones(2)),
        (np.ones((2, 2)), np.array([1.0, np.inf])),
    ],
)
def test_misuse_is_refused(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"shape|finite"):
        fit(x, y, Priors())
