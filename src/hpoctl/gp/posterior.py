"""Predictions given the data and the hyperparameters (Rasmussen and Williams 2006, equations 2.23 and 2.24)."""

from dataclasses import dataclass

import numpy as np

from hpoctl.gp.fitting import check_data
from hpoctl.gp.kernels import Hyperparameters, covariance
from hpoctl.gp.likelihood import constant_mean
from hpoctl.gp.linalg import FloatArray, product, safe_whitening, times_vector

LEAST_VARIANCE = 1e-12
"""Predicted variances are at least this share of the signal variance: what rounding leaves of a zero."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """The posterior of f at m points, and what is needed to condition it on some of them.

    Attributes:
        x: The points, shape (m, d).
        mean: Means, shape (m,).
        variance: Variances, shape (m,); positive.
        projection: W k(data, points), shape (n, m): posterior covariances are s2 k - projection^T projection.
        hyper: The hyperparameters.
    """

    x: FloatArray
    mean: FloatArray
    variance: FloatArray
    projection: FloatArray
    hyper: Hyperparameters

    def covariance_with(self, index: int) -> FloatArray:
        """Posterior covariances of all points with one of them, shape (m,)."""
        prior = covariance(self.x, self.x[index : index + 1], self.hyper)[:, 0]
        return prior - times_vector(self.projection.T, self.projection[:, index])


@dataclass(frozen=True, slots=True)
class Posterior:
    """A Gaussian process conditioned on data.

    Attributes:
        x: Inputs, shape (n, d).
        y: Targets, shape (n,).
        hyper: The hyperparameters.
        covariance: Covariances of f between the data, s2 k(x, x), shape (n, n).
        mean: The constant mean mu.
        w: The whitening matrix of the data's covariance, shape (n, n).
        weights: K^-1 (y - mu), shape (n,).
    """

    x: FloatArray
    y: FloatArray
    hyper: Hyperparameters
    covariance: FloatArray
    mean: float
    w: FloatArray
    weights: FloatArray

    def fitted(self) -> FloatArray:
        """Means of f at the data, shape (n,): what `predict_mean` gives there, without its covariances."""
        return self.mean + times_vector(self.covariance, self.weights)

    def predict_mean(self, x: FloatArray) -> FloatArray:
        """Means of f at points, shape (m, d); the result has shape (m,)."""
        return self.mean + times_vector(covariance(x, self.x, self.hyper), self.weights)

    def predict(self, x: FloatArray) -> Predictions:
        """The posterior of f at points, shape (m, d)."""
        cross = covariance(self.x, x, self.hyper)
        projection = product(self.w, cross, lower=True)
        variance = self.hyper.signal - np.einsum("ij,ij->j", projection, projection)
        mean = self.mean + times_vector(cross.T, self.weights)
        return Predictions(x, mean, np.maximum(variance, LEAST_VARIANCE * self.hyper.signal), projection, self.hyper)


def condition(x: FloatArray, y: FloatArray, hyper: Hyperparameters) -> Posterior:
    """The posterior given data.

    Args:
        x: Inputs, shape (n, d), n >= 1; repeated ones are fine.
        y: Targets, shape (n,).
        hyper: The hyperparameters.

    Raises:
        ValueError: Shapes do not fit, or there are NaN or infinite numbers.
    """
    check_data(x, y)
    if hyper.length_scales.shape != (x.shape[1],):
        raise ValueError(f"{len(hyper.length_scales)} length scales do not fit inputs of shape {x.shape}")
    k = covariance(x, x, hyper)
    noisy = k.copy()
    noisy[np.diag_indices(len(x))] += hyper.noise
    w = safe_whitening(noisy)
    mean = constant_mean(w, y)
    weights = times_vector(w.T, times_vector(w, y - mean))
    return Posterior(x, y, hyper, k, mean, w, weights)
