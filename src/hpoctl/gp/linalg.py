"""Dense linear algebra whose results do not depend on the number of BLAS threads.

OpenBLAS, the library in the wheels of numpy and scipy, cuts large products and factorisations into one piece a thread,
and where it cuts changes the last bits. Matrices of up to 64 rows and columns it leaves whole. Everything here is made
of such tiles, put together in a fixed order, so the same bits come out whatever the number of threads. For matrices of
a few hundred rows this takes about as long as the library's own routines.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

FloatArray = NDArray[np.floating]

TILE = 64
"""Rows and columns of the largest tile: products of up to 64 x 64 x 64 numbers run in one thread."""

FIRST_JITTER, LAST_JITTER = 1e-8, 1e-2
"""Shares of the mean diagonal entry that are added to make a matrix positive definite."""


def product(a: FloatArray, b: FloatArray, *, lower: bool = False) -> FloatArray:
    """The matrix product of `a`, shape (n, k), and `b`, shape (k, m).

    Args:
        a: The left factor.
        b: The right factor.
        lower: Whether `a` is square and lower triangular, so that the tiles above its diagonal can be left out.
    """
    (n, inner), m = a.shape, b.shape[1]
    if max(n, inner, m) <= TILE:
        return np.asarray(a @ b)
    out = np.zeros((n, m))
    for i in range(0, n, TILE):
        last = min(i + TILE, inner) if lower else inner
        for j in range(0, m, TILE):
            tile = out[i : i + TILE, j : j + TILE]
            for k in range(0, last, TILE):
                tile += a[i : i + TILE, k : k + TILE] @ b[k : k + TILE, j : j + TILE]
    return out


def times_vector(a: FloatArray, v: FloatArray) -> FloatArray:
    """The product of `a`, shape (n, k), and a vector, shape (k,)."""
    return np.asarray(np.einsum("ij,j->i", a, v))


def whitening(a: FloatArray) -> FloatArray:
    """The inverse W of the lower Cholesky factor of a positive definite matrix: W a W^T = I.

    With W all that follows are products: a^-1 = W^T W, ln |a| = -2 sum(ln W_ii).

    Args:
        a: A symmetric matrix, shape (n, n), of which the lower triangle is read.

    Returns:
        W, lower triangular, shape (n, n).

    Raises:
        numpy.linalg.LinAlgError: The matrix is not positive definite in double precision.
    """
    n = len(a)
    if n <= TILE:
        return _whitening_of_tile(a)
    # a = [[a11, .], [a21, a22]] gives L21 = a21 L11^-T, L22 L22^T = a22 - L21 L21^T and W21 = -W22 L21 W11.
    cut = TILE * -(-n // (2 * TILE))
    w11 = whitening(a[:cut, :cut])
    l21 = product(a[cut:, :cut], w11.T)
    w22 = whitening(a[cut:, cut:] - product(l21, l21.T))
    out = np.zeros((n, n))
    out[:cut, :cut] = w11
    out[cut:, cut:] = w22
    out[cut:, :cut] = -product(w22, product(l21, w11), lower=True)
    return out


def _whitening_of_tile(a: FloatArray) -> FloatArray:
    factor, failed = lapack.dpotrf(a, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    inverse, failed = lapack.dtrtri(factor, lower=1)
    if failed or not np.isfinite(inverse).all():
        raise np.linalg.LinAlgError("the Cholesky factor is singular")
    return np.asarray(inverse)


def safe_whitening(a: FloatArray) -> FloatArray:
    """The whitening matrix of `a`, with a multiple of the identity added where it is needed.

    First nothing is added, then 1e-8 of the mean diagonal entry, then ten times as much each time, up to 1e-2.

    Raises:
        numpy.linalg.LinAlgError: `a` holds NaN or infinite numbers, or is far from positive definite.
    """
    if not np.isfinite(a).all():
        raise np.linalg.LinAlgError("the matrix holds NaN or infinite numbers")
    jitter = 0.0
    while True:
        try:
            return whitening(a + jitter * np.mean(np.diagonal(a)) * np.eye(len(a)) if jitter else a)
        except np.linalg.LinAlgError:
            jitter = 10.0 * jitter or FIRST_JITTER
            if jitter > 1.5 * LAST_JITTER:
                raise


def inverse_lower(w: FloatArray) -> FloatArray:
    """The lower triangle of W^T W, the inverse of the matrix that W whitens; what stands above it is not a result.

    Args:
        w: A whitening matrix, shape (n, n).
    """
    n = len(w)
    out = np.zeros((n, n))
    for i in range(0, n, TILE):
        for j in range(0, i + TILE, TILE):
            tile = out[i : i + TILE, j : j + TILE]
            for k in range(i, n, TILE):
                tile += w[k : k + TILE, i : i + TILE].T @ w[k : k + TILE, j : j + TILE]
    return out
