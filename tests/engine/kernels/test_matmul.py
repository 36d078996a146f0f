"""Every element of a product is one chain of multiply-adds, whatever tiles and panels it took."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from optbench.engine.kernels import matmul
from optbench.engine.kernels.jit import jit
from optbench.engine.kernels.memory import fma
from optbench.engine.kernels.views import View, transposed
from tests.engine.kernels.product_calls import multiply, multiply_transposed


@jit
def chains(m, n, k, A, B, C, D, add):  # type: ignore[no-untyped-def]
    """The product by its definition."""
    for i in range(m):
        for j in range(n):
            total = A.data.dtype.type(0)
            if add:
                total = D.data[D.offset + i * D.row + j * D.column]
            for q in range(k):
                left = A.data[A.offset + i * A.row + q * A.column]
                right = B.data[B.offset + q * B.row + j * B.column]
                total = fma(left, right, total)  # type: ignore[call-arg]  # an intrinsic
            C.data[C.offset + i * C.row + j] = total


def drawn(rows: int, columns: int, dtype: str, gap: int = 0) -> View:
    """Random numbers, with `gap` numbers between rows."""
    rng = np.random.default_rng(rows + 1000 * columns)
    data = rng.normal(size=2 + rows * (columns + gap)).astype(dtype)
    return View(data, 2, columns + gap, 1)


def flipped(view: View) -> View:
    """The transposed view."""
    result: View = transposed.py_func(view)
    return result


def bits(view: View) -> bytes:
    """All numbers of the array behind a view."""
    return view.data.tobytes()


ROWS = (*range(1, 21), 31, 32, 33, 92)
COLUMNS = (1, 10, 15, 16, 17, 32, 33, 70)
LARGE = ((16, 128, 128), (33, 70, 300), (45, 257, 129), (92, 33, 600), (128, 256, 100))
"""Numbers of rows and columns, and the depth, of products whose B is copied."""


def products(dtype: str) -> list[tuple[int, int, int]]:
    """Sizes of products, small and large."""
    small = itertools.product(ROWS, COLUMNS, (1, 40))
    assert all(k * n >= matmul.PACK_SIZE for _, n, k in LARGE)
    return [*small, *LARGE]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_has_the_bits_of_its_definition(dtype: str, add: bool, turned: bool) -> None:
    """With any number of rows and columns, a transposed A, and sums that begin at D."""
    for m, n, k in products(dtype):
        A = flipped(drawn(k, m, dtype, 3)) if turned else drawn(m, k, dtype, 1)
        B, D = drawn(k, n, dtype, 5), drawn(m, n, dtype, 2)
        result, expected = drawn(m, n, dtype, 4), drawn(m, n, dtype, 4)
        multiply(m, n, k, A, B, result, D, add)
        chains(m, n, k, A, B, expected, D, add)
        assert bits(result) == bits(expected), (m, n, k)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_product_with_a_transposed_matrix_has_them_too(dtype: str) -> None:
    """Fewer than FEW_ROWS rows are sums in another order, on every machine the same."""
    for m, n, k in products(dtype):
        if m < matmul.FEW_ROWS:
            continue
        A, B = drawn(m, k, dtype, 1), drawn(n, k, dtype, 3)
        result, expected = drawn(m, n, dtype, 4), drawn(m, n, dtype, 4)
        multiply_transposed(m, k, n, A, B, result, np.empty(k * n, dtype))
        chains(m, n, k, A, flipped(B), expected, expected, False)
        assert bits(result) == bits(expected), (m, n, k)
