"""Products of small matrices, stored flat and row by row."""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from optbench.contracts import Array
from optbench.engine.kernels.jit import jit, jit_with_allocation
from optbench.engine.kernels.memory import load, store
from optbench.engine.kernels.tiles import make_outer, make_tile, row_dots
from optbench.engine.kernels.vectors import WIDTH
from optbench.engine.kernels.views import View, transposed

# Four rows times two vectors are eight independent sums, which hide the latency of a multiply-add.
tile_4x2 = make_tile(4, 2, masked=False)
tile_4x2_cut = make_tile(4, 2, masked=True)
tile_4x1_cut = make_tile(4, 1, masked=True)
tile_1x4 = make_tile(1, 4, masked=False)
tile_1x2_cut = make_tile(1, 2, masked=True)
tile_1x1_cut = make_tile(1, 1, masked=True)

outer_4 = make_outer(4, masked=False)
outer_1 = make_outer(1, masked=False)
outer_1_cut = make_outer(1, masked=True)

FEW_ROWS = 4
"""Number of rows below which a transposed copy does not pay."""
DEPTH = 256
"""Number of rows in a panel of a large matrix; a panel takes 16 KiB in float32."""
PACK_ROWS, PACK_SIZE = 16, 128 * 128
"""Numbers of rows of A and of elements of B from which copying B into panels pays."""


def vector_width(array: Array) -> int:
    """Return how many numbers of the array's dtype fit into one vector (compiled code only)."""
    raise NotImplementedError(f"only compiled code has vectors, asked for {array.dtype}")


@overload(vector_width)
def _vector_width(array):
    width = WIDTH[array.dtype]
    return lambda array: width


@jit_with_allocation
def multiply_packed(m, n, k, A, B, C, D, add):
    """`multiply` for a large B, whose columns may lie apart too.

    Panels of B, two vectors wide and DEPTH deep, are copied together: they stay in the first cache
    while all rows of A pass, and rows that are a power of two apart do not evict each other.
    """
    w = vector_width(A.data)
    wide = 2 * w
    panel = np.empty(DEPTH * wide, A.data.dtype)
    for q0 in range(0, k, DEPTH):
        depth = min(DEPTH, k - q0)
        left = View(A.data, A.offset + q0 * A.column, A.row, A.column)
        if q0 > 0:
            D, add = C, True
        for j in range(0, n, wide):
            r = min(wide, n - j)
            for q in range(depth):
                begin = B.offset + (q0 + q) * B.row + j * B.column
                for v in range(r):
                    store(panel, q * wide + v, load(B.data, begin + v * B.column))
            right = View(panel, -j, wide, 1)  # holds the columns from j on
            i = 0
            while i + 4 <= m:
                if r == wide:
                    tile_4x2(left, right, C, D, i, j, depth, 0, add)
                elif r > w:
                    tile_4x2_cut(left, right, C, D, i, j, depth, r - w, add)
                else:
                    tile_4x1_cut(left, right, C, D, i, j, depth, r, add)
                i += 4
            while i < m:
                if r > w:
                    tile_1x2_cut(left, right, C, D, i, j, depth, r - w, add)
                else:
                    tile_1x1_cut(left, right, C, D, i, j, depth, r, add)
                i += 1


@jit
def multiply(m, n, k, A, B, C, D, add):
    """C (m, n) = A (m, k) B (k, n), or with `add` C = D + A B, where D may be C.

    All four are views; the columns of B, C and D are contiguous.
    """
    if m >= PACK_ROWS and k * n >= PACK_SIZE:
        multiply_packed(m, n, k, A, B, C, D, add)
        return
    w = vector_width(A.data)
    i = 0
    while i + 4 <= m:
        j = 0
        while j + 2 * w <= n:
            tile_4x2(A, B, C, D, i, j, k, 0, add)
            j += 2 * w
        r = n - j
        if r > w:
            tile_4x2_cut(A, B, C, D, i, j, k, r - w, add)
        elif r > 0:
            tile_4x1_cut(A, B, C, D, i, j, k, r, add)
        i += 4
    while i < m:
        j = 0
        while j + 4 * w <= n:
            tile_1x4(A, B, C, D, i, j, k, 0, add)
            j += 4 * w
        while n - j > w:
            r = min(n - j - w, w)
            tile_1x2_cut(A, B, C, D, i, j, k, r, add)
            j += w + r
        r = n - j
        if r > 0:
            tile_1x1_cut(A, B, C, D, i, j, k, r, add)
        i += 1


@jit
def copy_transposed(n_rows, n_columns, A, copy):
    """copy[j, i] = A[i, j] for A (n_rows, n_columns) with contiguous columns; `copy` is flat."""
    for i in range(n_rows):
        begin = A.offset + i * A.row
        for j in range(n_columns):
            store(copy, j * n_rows + i, load(A.data, begin + j))


@jit
def multiply_transposed(m, n, k, A, B, C, spare):
    """C (m, k) = A (m, n) B^T for B (k, n), with contiguous columns everywhere.

    With few rows a transposed copy (into `spare`, of k*n numbers) does not pay.
    """
    if m >= PACK_ROWS and k * n >= PACK_SIZE:
        multiply_packed(m, k, n, A, transposed(B), C, C, False)
        return
    if m >= FEW_ROWS:
        copy_transposed(k, n, B, spare)
        multiply(m, k, n, A, View(spare, 0, k, 1), C, C, False)
        return
    for i in range(m):
        row_dots(A, B, C, i, n, k)


@jit
def outer_product(m, n, A, B, C):
    """C (m, n) = A B for a column A (m, 1) and a row B (1, n), each contiguous."""
    w = vector_width(A.data)
    j = 0
    while j + 4 * w <= n:
        outer_4(A, B, C, j, m, 0)
        j += 4 * w
    while j + w <= n:
        outer_1(A, B, C, j, m, 0)
        j += w
    if j < n:
        outer_1_cut(A, B, C, j, m, n - j)
