"""Products of views: any offset and stride, with sizes around the width of a vector."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from optbench import Array
from optbench.engine.kernels.views import View, transposed
from tests.engine.kernels.product_calls import multiply, multiply_transposed


def stored(matrix: Array, offset: int, gap: int) -> View:
    """A view of a copy of the matrix that begins at `offset`, with `gap` numbers between rows."""
    rows, columns = matrix.shape
    data = np.full(offset + rows * (columns + gap), np.nan)
    view = View(data, offset, columns + gap, 1)
    as_matrix(view, rows, columns)[...] = matrix
    return view


def as_matrix(view: View, rows: int, columns: int) -> Array:
    """The numbers of a view as a NumPy view."""
    strides = (8 * view.row, 8 * view.column)
    return np.lib.stride_tricks.as_strided(view.data[view.offset :], (rows, columns), strides)


SIZES = [(1, 1, 1), (4, 9, 3), (5, 16, 7), (3, 70, 11), (18, 130, 260)]


@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_a_product_of_views(m: int, n: int, k: int) -> None:
    """C = A B and C = D + A B agree with NumPy; nothing outside of C is written."""
    rng = np.random.default_rng(m)
    a, b, d = rng.normal(size=(m, k)), rng.normal(size=(k, n)), rng.normal(size=(m, n))
    for left, add in itertools.product(
        (stored(a, 3, 2), transposed.py_func(stored(a.T.copy(), 1, 4))), (False, True)
    ):
        result = stored(np.zeros((m, n)), 5, 3)
        multiply(m, n, k, left, stored(b, 2, 1), result, stored(d, 0, 2), add)
        expected = a @ b + (d if add else 0)
        np.testing.assert_allclose(as_matrix(result, m, n), expected, rtol=1e-12, atol=1e-12)
        assert np.isnan(result.data).sum() == 5 + 3 * m


def test_a_row_stride_of_zero_repeats_a_row() -> None:
    """A bias is a matrix with as many equal rows as are asked for."""
    bias, a, b = np.arange(6.0), np.ones((5, 2)), np.ones((2, 6))
    result = stored(np.zeros((5, 6)), 0, 0)
    multiply(5, 6, 2, stored(a, 0, 0), stored(b, 0, 0), result, View(bias, 0, 0, 1), True)
    np.testing.assert_array_equal(as_matrix(result, 5, 6), np.tile(bias + 2, (5, 1)))


@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_a_product_with_a_transposed_matrix(m: int, n: int, k: int) -> None:
    """C = A B^T agrees with NumPy, with few rows and with many, small matrices and large ones."""
    rng = np.random.default_rng(m)
    a, b = rng.normal(size=(m, n)), rng.normal(size=(k, n))
    result = stored(np.zeros((m, k)), 4, 1)
    multiply_transposed(m, n, k, stored(a, 1, 1), stored(b, 2, 3), result, np.empty(k * n))
    np.testing.assert_allclose(as_matrix(result, m, k), a @ b.T, rtol=1e-12, atol=1e-12)
