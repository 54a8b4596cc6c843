from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from hpoctl.gp.acquisition import FAR, NEAR, log_ei, log_h, pick
from hpoctl.gp.kernels import Hyperparameters
from hpoctl.gp.posterior import Posterior, condition


def one(mean: float, sd: float, best: float) -> float:
    return float(log_ei(np.array([mean]), np.array([sd]), best)[0])


@pytest.mark.parametrize(("mean", "sd", "best"), [(0.0, 1.0, 0.0), (1.0, 0.5, 0.3), (-1.0, 2.0, 1.0), (0.2, 0.1, 0.1)])
def test_it_is_the_mean_improvement_of_many_draws(mean: float, sd: float, best: float) -> None:
    draws = np.random.default_rng(0).normal(mean, sd, 400_000)
    improvement = np.maximum(best - draws, 0.0)
    error = improvement.std() / np.sqrt(len(draws))
    assert abs(np.exp(one(mean, sd, best)) - improvement.mean()) < 5.0 * error


@pytest.mark.parametrize("z", [5.0, 0.0, -0.5, -1.0, -2.0, -5.0, -12.0, -30.0])
def test_it_is_the_integral_that_defines_it(z: float) -> None:
    # h(z) = integral over u > 0 of u phi(u - z); phi(z) is taken out so that nothing underflows.
    value, _ = quad(lambda u: u * np.exp(z * u - 0.5 * u * u), 0.0, 60.0, epsabs=0.0, epsrel=1e-12, points=[0.1, 1, 5])
    np.testing.assert_allclose(log_h(np.array([z]))[0], np.log(value) + norm.logpdf(z), rtol=1e-10)


def high_precision(t: float) -> float:
    """ln h(-t) in 60 digits, by the continued fraction of the Mills ratio M(t) = 1 / (t + 1 / (t + 2 / (t + ...)))."""
    getcontext().prec = 60
    exact = Decimal(t)
    tail = exact
    for level in range(3000, 0, -1):
        tail = exact + Decimal(level) / tail
    bracket = 1 - exact / tail
    two_pi = Decimal("6.28318530717958647692528676655900576839433879875021")
    return float(-exact * exact / 2 - two_pi.ln() / 2 + bracket.ln())


@pytest.mark.parametrize("t", [1.0, 1.5, 3.0, 10.0, 50.0, 99.9, 100.0, 100.1, 1e3, 1e5, 1e8])
def test_it_is_exact_in_the_tail(t: float) -> None:
    np.testing.assert_allclose(log_h(np.array([-t]))[0], high_precision(t), rtol=1e-13, atol=1e-11)


@pytest.mark.parametrize("edge", [NEAR, FAR])
def test_branches_meet(edge: float) -> None:
    around = log_h(np.array([edge - 1e-9, edge, edge + 1e-9]))
    assert (np.diff(around) > 0.0).all()
    np.testing.assert_allclose(around, around[1], atol=3e-7)


def test_far_tail_is_finite_and_increasing() -> None:
    z = -np.logspace(10, -3, 4000)
    values = log_h(z)
    assert np.isfinite(values).all()
    assert (np.diff(values) > 0.0).all()
    assert np.isfinite(log_h(np.array([-1e150, 1e150]))).all()


@settings(max_examples=50, deadline=None)
@given(st.floats(-1e10, 1e4), st.floats(1e-6, 1e6))
def test_it_increases_with_z(z: float, step: float) -> None:
    low, high = log_h(np.array([z, z + step * max(1.0, abs(z))]))
    assert low < high


@pytest.mark.parametrize("sd", [0.0, -1.0, np.nan, np.inf])
def test_misuse_is_refused(sd: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        one(0.0, sd, 0.0)


HYPER = Hyperparameters(np.array([0.3, 0.6]), 1.0, 0.02)


def posterior_and_candidates(seed: int, m: int = 90) -> tuple[Posterior, np.ndarray]:
    rng = np.random.default_rng(seed)
    return condition(rng.random((15, 2)), rng.standard_normal(15), HYPER), rng.random((m, 2))


def believing(posterior: Posterior, x: np.ndarray) -> Posterior:
    """The posterior refitted to its data and to pending points at their predicted values."""
    y = np.concatenate([posterior.y, posterior.predict_mean(x)])
    return condition(np.concatenate([posterior.x, x]), y, posterior.hyper)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pending", [0, 3])
def test_picking_is_conditioning_on_the_pending_and_on_each_pick_in_turn(seed: int, pending: int) -> None:
    posterior, candidates = posterior_and_candidates(seed)
    picked = [found.point for found in pick(posterior.predict(candidates), -0.5, 6, pending)]
    best = min([-0.5, *posterior.predict_mean(candidates[:pending])])
    posterior = believing(posterior, candidates[:pending])
    for index in picked:
        predictions = posterior.predict(candidates)
        scores = log_ei(predictions.mean, np.sqrt(predictions.variance), best)
        scores[:pending] = -np.inf
        scores[picked[: picked.index(index)]] = -np.inf
        assert index == np.argmax(scores)
        best = min(best, predictions.mean[index])
        posterior = believing(posterior, candidates[index : index + 1])


def test_picks_are_different_and_no_more_than_there_are() -> None:
    posterior, candidates = posterior_and_candidates(0, m=4)
    assert sorted(found.point for found in pick(posterior.predict(candidates), 0.0, 9)) == [0, 1, 2, 3]
    assert [found.point for found in pick(posterior.predict(candidates), 0.0, 9, pending=3)] == [3]
    assert pick(posterior.predict(candidates), 0.0, 9, pending=4) == []


def test_among_equal_candidates_the_first_is_picked() -> None:
    posterior, candidates = posterior_and_candidates(0, m=3)
    same = np.repeat(candidates[:1], 5, axis=0)
    assert [found.point for found in pick(posterior.predict(same), 0.0, 3)] == [0, 1, 2]
