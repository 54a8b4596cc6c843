"""The negative log posterior density of the hyperparameters, with its analytic gradient.

    -ln p(y | theta) = (y - mu)^T K^-1 (y - mu) / 2 + ln |K| / 2 + n ln(2 pi) / 2

(Rasmussen and Williams 2006, equation 5.8), with the gradient tr((K^-1 - a a^T) dK) / 2 (equation 5.9). The mean mu is
the one that makes it smallest, mu = (1^T K^-1 y) / (1^T K^-1 1), so its own change adds nothing to the gradient.
"""

from dataclasses import dataclass

import numpy as np

from hpoctl.gp.kernels import Hyperparameters, Pairs, correlation_and_slope
from hpoctl.gp.linalg import FloatArray, inverse_lower, safe_whitening, times_vector


@dataclass(frozen=True, slots=True)
class Prior:
    """A normal prior on the logarithm of a hyperparameter, within bounds.

    Attributes:
        mean: Mean of the logarithm.
        sd: Standard deviation of the logarithm.
        lower: Least logarithm.
        upper: Greatest logarithm.
    """

    mean: float
    sd: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed of the hyperparameters before seeing data; inputs span [0, 1], targets have variance 1.

    Attributes:
        length_scale: Of each length scale. A wide prior around e^1.5 lets irrelevant inputs fade out.
        signal: Of the signal variance.
        noise: Of the noise variance.
    """

    length_scale: Prior = Prior(1.5, 1.2, -4.0, 4.0)
    signal: Prior = Prior(0.0, 1.0, -3.0, 3.0)
    noise: Prior = Prior(-4.0, 1.5, -12.0, 1.0)

    def all(self, d: int) -> tuple[Prior, ...]:
        """The prior of each entry of theta for d inputs, d + 2 of them."""
        return (*[self.length_scale] * d, self.signal, self.noise)


def constant_mean(w: FloatArray, y: FloatArray) -> float:
    """The generalised least-squares estimate of mu, from the whitening matrix, shape (n, n), and the targets (n,)."""
    ones = w.sum(axis=1)
    return float(np.einsum("i,i", ones, times_vector(w, y)) / np.einsum("i,i", ones, ones))


def negative_log_likelihood(theta: FloatArray, pairs: Pairs, y: FloatArray) -> tuple[float, FloatArray]:
    """The negative log marginal likelihood and its gradient, shape (d + 2,).

    Args:
        theta: Log hyperparameters, shape (d + 2,).
        pairs: The pairs of the inputs.
        y: Targets, shape (n,).

    Raises:
        numpy.linalg.LinAlgError: The covariance matrix is far from positive definite.
    """
    n = len(y)
    hyper = Hyperparameters.from_vector(theta)
    k, slope = correlation_and_slope(pairs.square_distances(hyper.length_scales))
    covariance = np.zeros((n, n))
    covariance.ravel()[pairs.flat] = hyper.signal * k
    np.fill_diagonal(covariance, hyper.signal + hyper.noise)
    w = safe_whitening(covariance)
    residual = y - constant_mean(w, y)
    white = times_vector(w, residual)
    diagonal = np.diagonal(w)
    value = 0.5 * float(np.einsum("i,i", white, white)) - float(np.log(diagonal).sum()) + 0.5 * n * np.log(2.0 * np.pi)

    weights = times_vector(w.T, white)
    inverse = inverse_lower(w)
    trace = float(np.diagonal(inverse).sum() - np.einsum("i,i", weights, weights))
    off_diagonal = inverse.ravel()[pairs.flat] - weights[pairs.i] * weights[pairs.j]
    gradient = np.empty(len(theta))
    gradient[:-2] = hyper.signal * pairs.weighted_squares(off_diagonal * slope) / hyper.length_scales**2
    gradient[-2] = hyper.signal * (float(np.einsum("p,p", off_diagonal, k)) + 0.5 * trace)
    gradient[-1] = 0.5 * hyper.noise * trace
    return float(value), gradient


def negative_log_posterior(theta: FloatArray, pairs: Pairs, y: FloatArray, priors: Priors) -> tuple[float, FloatArray]:
    """The negative log posterior density of theta without its normalising constant, and its gradient, shape (d + 2,).

    Args:
        theta: Log hyperparameters, shape (d + 2,).
        pairs: The pairs of the inputs.
        y: Targets, shape (n,).
        priors: The priors of the hyperparameters.

    Raises:
        numpy.linalg.LinAlgError: The covariance matrix is far from positive definite.
    """
    value, gradient = negative_log_likelihood(theta, pairs, y)
    each = priors.all(len(theta) - 2)
    sd = np.array([prior.sd for prior in each])
    scaled = (theta - np.array([prior.mean for prior in each])) / sd
    return value + 0.5 * float(np.einsum("i,i", scaled, scaled)), gradient + scaled / sd
