"""The product that Steppers are offered: that of NumPy but for rounding, for any layout."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from optbench import Array
from optbench.engine.loops.products import matmul


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 7, 3), (64, 32, 10), (33, 200, 300)])
def test_products_equal_those_of_numpy(dtype: str, sizes: tuple[int, int, int]) -> None:
    """Contiguous, transposed, sliced and read-only matrices are multiplied alike."""
    m, k, n = sizes
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    error = 4 * k * float(np.finfo(dtype).eps)
    results = [matmul(left, right) for left, right in itertools.product(layouts(a), layouts(b))]
    assert all(result.dtype == dtype for result in results)
    np.testing.assert_allclose(results[0], expected, rtol=0, atol=error)
    assert len({result.tobytes() for result in results}) == 1


def layouts(matrix: Array) -> list[Array]:
    """The same matrix in several layouts of memory."""
    wide = np.zeros((2 * matrix.shape[0], 2 * matrix.shape[1]), matrix.dtype)
    wide[::2, ::2] = matrix
    fixed = matrix.copy()
    fixed.setflags(write=False)
    return [matrix, np.asfortranarray(matrix), wide[::2, ::2], wide[::2, ::2].T.copy().T, fixed]


def test_other_products_are_those_of_numpy() -> None:
    """Vectors, stacks and other dtypes go to numpy.matmul, as do its errors."""
    a = np.arange(6).reshape(2, 3)
    assert np.array_equal(matmul(a, a.T), a @ a.T)
    assert matmul(np.ones(3), np.ones(3)) == 3.0
    assert matmul(np.ones((2, 2, 3)), np.ones((3, 1))).shape == (2, 2, 1)
    assert matmul(np.ones((2, 3), np.float32), np.ones((3, 2))).dtype == np.float64
    with pytest.raises(ValueError, match="mismatch"):
        matmul(np.ones((2, 3)), np.ones((2, 3)))


def test_not_a_number_stays() -> None:
    """NaN in a row reaches the elements of that row, and no others."""
    a = np.ones((4, 3))
    a[1, 2] = np.nan
    assert np.array_equal(np.isnan(matmul(a, np.ones((3, 2)))).any(axis=1), [0, 1, 0, 0])
