"""The Matern-5/2 kernel with one length scale an input.

With the scaled distance r, r^2 = sum_i ((x_i - x'_i) / l_i)^2,

    k(r) = (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r)

(Rasmussen and Williams 2006, equation 4.17). Its derivative by a log length scale has no division by r:

    dk / d ln l_i = (5 / 3) (1 + sqrt(5) r) exp(-sqrt(5) r) ((x_i - x'_i) / l_i)^2
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from hpoctl.gp.linalg import FloatArray, times_vector

ROOT5 = float(np.sqrt(5.0))

BLOCK = 8192
"""Numbers that are worked on at a time: they and what comes in between stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The hyperparameters of a model.

    Attributes:
        length_scales: One an input, shape (d,).
        signal: Signal variance.
        noise: Noise variance.
    """

    length_scales: FloatArray
    signal: float
    noise: float

    @classmethod
    def from_vector(cls, theta: FloatArray) -> "Hyperparameters":
        """From the logarithms (length scales, signal variance, noise variance), shape (d + 2,)."""
        values: FloatArray = np.exp(theta)
        return cls(values[:-2], float(values[-2]), float(values[-1]))

    def vector(self) -> FloatArray:
        """The logarithms (length scales, signal variance, noise variance), shape (d + 2,)."""
        return np.asarray(np.log([*self.length_scales, self.signal, self.noise]))


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs i > j of n inputs, p = n (n - 1) / 2 of them, row by row of the lower triangle.

    Attributes:
        i: The first of each pair, shape (p,).
        j: The second of each pair, shape (p,).
        flat: Where each pair stands in a flattened (n, n) matrix, shape (p,).
        squares: Squared differences of each input, shape (d, p).
    """

    i: NDArray[np.intp]
    j: NDArray[np.intp]
    flat: NDArray[np.intp]
    squares: FloatArray

    @classmethod
    def of(cls, x: FloatArray) -> "Pairs":
        """The pairs of inputs, shape (n, d)."""
        i, j = np.tril_indices(len(x), -1)
        columns = np.ascontiguousarray(x.T)
        return cls(i, j, i * len(x) + j, (columns[:, i] - columns[:, j]) ** 2)

    def square_distances(self, length_scales: FloatArray) -> FloatArray:
        """Squared scaled distances r^2, shape (p,)."""
        return np.asarray(np.einsum("i,ip->p", length_scales**-2.0, self.squares))

    def weighted_squares(self, weights: FloatArray) -> FloatArray:
        """The sum over pairs of weight times squared difference, for each input, shape (d,)."""
        return times_vector(self.squares, weights)


def correlation(square_distances: FloatArray) -> FloatArray:
    """The Matern-5/2 correlation k from squared scaled distances r^2, same shape."""
    out = np.array(square_distances, dtype=np.float64, order="C")
    _correlate(out.reshape(-1))
    return out


def _correlate(numbers: FloatArray) -> None:
    """Turn r^2 into k in place, shape (p,)."""
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        root = np.sqrt(block)
        root *= ROOT5
        block *= 5.0 / 3.0
        block += root
        block += 1.0
        np.negative(root, out=root)
        block *= np.exp(root, out=root)


def correlation_and_slope(square_distances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The correlation k, and the slope g with dk / d ln l_i = g ((x_i - x'_i) / l_i)^2, both of the same shape."""
    root = ROOT5 * np.sqrt(square_distances)
    decay = np.exp(-root)
    linear = (1.0 + root) * decay
    return linear + (5.0 / 3.0) * square_distances * decay, (5.0 / 3.0) * linear


def covariance(x1: FloatArray, x2: FloatArray, hyper: Hyperparameters) -> FloatArray:
    """Covariances of f between two sets of inputs, shapes (n, d) and (m, d); the result has shape (n, m)."""
    out: FloatArray = cdist(x1 / hyper.length_scales, x2 / hyper.length_scales, "sqeuclidean")
    _correlate(out.reshape(-1))
    out *= hyper.signal
    return out
