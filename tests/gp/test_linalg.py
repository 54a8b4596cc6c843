import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from hpoctl.gp.linalg import TILE, inverse_lower, product, safe_whitening, times_vector, whitening

SIZES = (1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE, 150, 300)


def positive_definite(n: int) -> np.ndarray:
    root = np.random.default_rng(n).standard_normal((n, n))
    return root @ root.T / n + 0.1 * np.eye(n)


@pytest.mark.parametrize("n", SIZES)
def test_whitening_and_inverse_are_those_of_the_library(n: int) -> None:
    a = positive_definite(n)
    w = whitening(a)
    np.testing.assert_array_equal(w, np.tril(w))
    np.testing.assert_allclose(w, np.linalg.inv(np.linalg.cholesky(a)), atol=1e-9)
    np.testing.assert_allclose(np.tril(inverse_lower(w)), np.tril(np.linalg.inv(a)), atol=1e-9)


@pytest.mark.parametrize(("n", "k", "m"), [(3, 4, 5), (64, 65, 1), (150, 150, 300), (1, 200, 70)])
def test_products_are_those_of_the_library(n: int, k: int, m: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, k)), rng.standard_normal((k, m))
    np.testing.assert_allclose(product(a, b), a @ b, atol=1e-11)
    np.testing.assert_allclose(times_vector(a, b[:, 0]), a @ b[:, 0], atol=1e-11)
    if n == k:
        np.testing.assert_allclose(product(np.tril(a), b, lower=True), np.tril(a) @ b, atol=1e-11)


def test_whitening_reads_the_lower_triangle_only() -> None:
    a = positive_definite(150)
    np.testing.assert_array_equal(whitening(np.tril(a)), whitening(a))


def test_results_do_not_depend_on_the_number_of_blas_threads() -> None:
    def results(n: int) -> list[bytes]:
        x = np.linspace(0.0, 1.0, n)
        a = np.exp(-np.abs(x[:, None] - x)) + 0.1 * np.eye(n)
        w = safe_whitening(a)
        return [w.tobytes(), np.tril(inverse_lower(w)).tobytes(), product(w, a, lower=True).tobytes()]

    for n in SIZES:
        by_threads = []
        for threads in (1, 2, 3, 8):
            with threadpool_limits(threads, "blas"):
                by_threads.append(results(n))
        assert all(each == by_threads[0] for each in by_threads)


def test_a_singular_matrix_is_repaired_with_little() -> None:
    a = np.ones((100, 100))
    w = safe_whitening(a)
    repaired = np.linalg.inv(w.T @ w)
    np.testing.assert_allclose(repaired, a, atol=2e-2)
    np.testing.assert_allclose(np.diagonal(repaired), 1.0 + 1e-8, rtol=1e-6)


@pytest.mark.parametrize("a", [-np.eye(3), np.full((3, 3), np.nan), np.array([[np.inf]]), np.zeros((2, 2))])
def test_a_hopeless_matrix_is_refused(a: np.ndarray) -> None:
    with pytest.raises(np.linalg.LinAlgError):
        safe_whitening(a)
