"""Log expected improvement, and the choice of points by it.

For a prediction N(m, s^2) and the value b to improve on, with z = (b - m) / s,

    EI = E[max(b - f, 0)] = s h(z),    h(z) = phi(z) + z Phi(z)

(Jones, Schonlau and Welch 1998, equation 15). Far from the optimum EI underflows and all points look the same; its
logarithm does not (Ament et al. 2023, "Unexpected Improvements to Expected Improvement for Bayesian Optimization",
section 4).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import erfcx, ndtr

from hpoctl.gp.linalg import FloatArray, times_vector
from hpoctl.gp.posterior import LEAST_VARIANCE, Predictions

LOG_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))

NEAR, FAR = -1.0, -100.0
"""Above NEAR, h is computed as it stands; below FAR, from its asymptotic series; between, from the Mills ratio."""

DECIMALS = 9
"""Acquisition values closer than this count as equal, so that the last bits of a processor do not choose."""


class Picked(NamedTuple):
    """A point that was picked.

    Attributes:
        point: Its index into the predictions.
        log_ei: The logarithm of its expected improvement, given the points before it.
        sd: The standard deviation of its prediction, given the points before it.
        best: The value that was to be improved on.
    """

    point: int
    log_ei: float
    sd: float
    best: float


def log_ei(mean: FloatArray, sd: FloatArray, best: float) -> FloatArray:
    """The logarithm of the expected improvement, shape (m,).

    Args:
        mean: Predicted means, shape (m,), to be minimised.
        sd: Predicted standard deviations, shape (m,), positive.
        best: The value to improve on.

    Raises:
        ValueError: A standard deviation is not positive, or something is not finite.
    """
    if not (np.isfinite(mean).all() and np.isfinite(sd).all() and np.isfinite(best) and (sd > 0.0).all()):
        raise ValueError("means and best must be finite, standard deviations finite and positive")
    return np.log(sd) + log_h((best - mean) / sd)


def log_h(z: FloatArray) -> FloatArray:
    """The logarithm of h(z) = phi(z) + z Phi(z), finite and increasing for z from -1e150 to 1e150, same shape.

    With t = -z > 0 and the Mills ratio M(t) = Phi(-t) / phi(t) = sqrt(pi / 2) erfcx(t / sqrt(2)),

        h(z) = phi(t) (1 - t M(t))

    For large t the bracket is a difference of almost equal numbers, about 1 / t^2: it loses the relative precision
    1e-16 t^2, that is 1e-12 at t = 100. From there on its asymptotic series is used,

        1 - t M(t) = t^-2 (1 - 3 t^-2 + 15 t^-4 - 105 t^-6 + ...)

    whose first term left out is 945 t^-8, below 1e-13 at t = 100. At z > -1 nothing cancels badly in h itself.
    """
    out = np.empty_like(z, dtype=np.float64)
    near, far = z > NEAR, z < FAR
    between = ~(near | far)

    v = z[near]
    out[near] = np.log(np.exp(-0.5 * np.minimum(v, 40.0) ** 2 - LOG_ROOT_2PI) + v * ndtr(v))

    t = -z[between]
    mills = np.sqrt(0.5 * np.pi) * erfcx(t / np.sqrt(2.0))
    out[between] = -0.5 * t * t - LOG_ROOT_2PI + np.log1p(-t * mills)

    t = -z[far]
    u = 1.0 / (t * t)
    series = u * (-3.0 + u * (15.0 - 105.0 * u))
    out[far] = -0.5 * t * t - LOG_ROOT_2PI - 2.0 * np.log(t) + np.log1p(series)
    return out


def pick(predictions: Predictions, best: float, count: int, pending: int = 0) -> list[Picked]:
    """The points to evaluate next, one after another, each given that all before turn out as predicted.

    This is the kriging believer (Ginsbourger, Le Riche and Carraro 2010, "Kriging is well-suited to parallelize
    optimization", section 4.1). Believing a point leaves all means as they are, and takes from the covariances
    c c^T / (c_i + v2), with c the point's own column of them (Rasmussen and Williams 2006, equation A.6). So one column
    of the posterior covariance matrix is all that each believed point costs.

    Args:
        predictions: The posterior at the pending points first, then at the candidates.
        best: The value to improve on.
        count: How many points to pick.
        pending: How many points are pending: they are believed before anything is picked.

    Returns:
        Different candidates, min(count, m - pending) of them; among equal ones the first.
    """
    steps = min(pending + count, len(predictions.mean))
    variance = predictions.variance
    taken = np.zeros(len(variance), dtype=bool)
    columns = np.empty((steps, len(variance)))
    chosen: list[int] = []
    picked: list[Picked] = []
    for step in range(steps):
        if chosen:
            last = chosen[-1]
            column = predictions.covariance_with(last) - times_vector(columns[: step - 1].T, columns[: step - 1, last])
            columns[step - 1] = column / np.sqrt(variance[last] + predictions.hyper.noise)
            variance = np.maximum(variance - columns[step - 1] ** 2, LEAST_VARIANCE * predictions.hyper.signal)
        if step < pending:
            index = step
        else:
            sd = np.sqrt(variance)
            scores = np.round(log_ei(predictions.mean, sd, best), DECIMALS)
            index = int(np.argmax(np.where(taken, -np.inf, scores)))
            picked.append(Picked(index, float(scores[index]), float(sd[index]), best))
        chosen.append(index)
        taken[index] = True
        best = min(best, float(predictions.mean[index]))
    return picked
