"""Products of a single row, with widths around a vector and around a group of vectors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from optbench import Array
from optbench.engine.kernels import matmul, row_tiles
from optbench.engine.kernels.jit import jit
from optbench.engine.kernels.views import View

WIDTHS = (1, 3, 4, 8, 15, 16, 17, 33, 64, 100, 127, 128, 129, 150, 270)
GUARD = 64
"""Numbers behind a result that must stay as they are."""


@jit
def row_times_matrix(a, b, c, d, n, depth):  # type: ignore[no-untyped-def]
    """`row_tiles.row_times_matrix`, called from Python with flat arrays."""
    C, D = View(c, 0, n, 1), View(d, 0, n, 1)
    A, B = View(a, 0, depth, 1), View(b, 0, n, 1)
    row_tiles.row_times_matrix(A, B, C, D, n, depth)  # type: ignore[call-arg]  # an intrinsic


@jit
def one_of_many(a, b, c, d, n, depth):  # type: ignore[no-untyped-def]
    """The same by `matmul.multiply`, which serves any number of rows."""
    C, D = View(c, 0, n, 1), View(d, 0, n, 1)
    matmul.multiply(1, n, depth, View(a, 0, depth, 1), View(b, 0, n, 1), C, D, True)


@jit
def outer_product(a, b, c, count, n):  # type: ignore[no-untyped-def]
    """`row_tiles.outer_product`, called from Python with flat arrays."""
    A, B, C = View(a, 0, count, 1), View(b, 0, n, 1), View(c, 0, n, 1)
    row_tiles.outer_product(A, B, C, count, n)  # type: ignore[call-arg]  # an intrinsic


@jit
def row_dots(a, b, c, n, count):  # type: ignore[no-untyped-def]
    """`row_tiles.row_dots`, called from Python with flat arrays."""
    A, B, C = View(a, 0, n, 1), View(b, 0, n, 1), View(c, 0, count, 1)
    row_tiles.row_dots(A, B, C, 0, n, count)  # type: ignore[call-arg]  # an intrinsic


def numbers(rng: np.random.Generator, count: int, dtype: str) -> Array:
    return rng.normal(size=count).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_times_a_matrix(dtype: str) -> None:
    """The numbers are those of the general product, to the bit; nothing behind them is written."""
    rng = np.random.default_rng(0)
    for n, depth in itertools.product(WIDTHS, (0, 1, 2, 37)):
        a, b, d = (numbers(rng, size, dtype) for size in (depth + 1, depth * n + 1, n))
        got, expected = (np.full(n + GUARD, np.nan, dtype) for _ in range(2))
        row_times_matrix(a, b, got, d, n, depth)
        one_of_many(a, b, expected, d, n, depth)
        np.testing.assert_array_equal(got, expected)
        product = a[:depth].astype(float) @ b[: depth * n].reshape(depth, n).astype(float) + d
        np.testing.assert_allclose(got[:n], product, rtol=1e-4, atol=1e-4)
        row_times_matrix(a, b, d, d, n, depth)  # the start may be the result
        np.testing.assert_array_equal(d, expected[:n])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_outer_product(dtype: str) -> None:
    """Every product is rounded once, also where a vector reaches beyond its row."""
    rng = np.random.default_rng(1)
    for n, count in itertools.product(WIDTHS, (1, 2, 5, 16)):
        a, b = numbers(rng, count, dtype), numbers(rng, n, dtype)
        a[0] = -0.0
        result = np.full(count * n + GUARD, np.nan, dtype)
        outer_product(a, b, result, count, n)
        expected = np.outer(a, b)
        np.testing.assert_array_equal(result[: count * n].reshape(count, n), expected)
        np.testing.assert_array_equal(np.signbit(result[: count * n]), np.signbit(expected.ravel()))
        assert np.isnan(result[count * n :]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scalar_products_do_not_depend_on_their_neighbours(dtype: str) -> None:
    """Four sums that are taken together have the bits of each one alone."""
    rng = np.random.default_rng(2)
    for n, count in itertools.product(WIDTHS, (1, 3, 4, 9)):
        a, b = numbers(rng, n, dtype), numbers(rng, count * n, dtype)
        together = np.full(count + GUARD, np.nan, dtype)
        row_dots(a, b, together, n, count)
        alone = np.empty_like(together[:count])
        for p in range(count):
            row_dots(a, b[p * n : (p + 1) * n].copy(), alone[p : p + 1], n, 1)
        np.testing.assert_array_equal(together[:count], alone)
        expected = b.reshape(count, n).astype(float) @ a.astype(float)
        np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-4)
        assert np.isnan(together[count:]).all()
