"""Products of small matrices, stored flat and row by row."""

from __future__ import annotations

import numpy as np

from optbench.engine.kernels.copies import copy_panel, copy_transposed
from optbench.engine.kernels.jit import part, part_with_allocation
from optbench.engine.kernels.row_tiles import row_dots
from optbench.engine.kernels.tiles import make_copying_tile, make_tile
from optbench.engine.kernels.vectors import VECTOR_BYTES, vector_width
from optbench.engine.kernels.views import View, transposed

# Each element is the same sum in the same order in any tile.
HIGH, LOW = (8, 4) if VECTOR_BYTES == 64 else (6, 4)
"""Numbers of rows of tiles two vectors wide, by the number of registers. Eight sums hide the
latency of a multiply-add; more rows need fewer loads for each of them."""
high_copying = make_copying_tile(HIGH, 2)
tile_1x4 = make_tile(1, 4, masked=False)
tile_1x2_cut = make_tile(1, 2, masked=True)
tile_1x1_cut = make_tile(1, 1, masked=True)

FEW_ROWS = 4
"""Number of rows below which a transposed copy does not pay."""
DEPTH = 400
"""Largest number of rows in a panel of a large matrix, which takes 50 KiB with wide vectors."""
PACK_ROWS, PACK_SIZE = 16, 128 * 128
"""Numbers of rows of A and of elements of B from which copying B into panels pays."""


def _make_strip(rows):
    """Make the function for strips of so many rows."""
    tile = make_tile(rows, 2, masked=False)
    tile_cut = make_tile(rows, 2, masked=True)
    narrow_cut = make_tile(rows, 1, masked=True)

    @part
    def strip(A, B, C, D, i, j, n, k, add):
        """Rows i .. i + rows - 1 and columns j .. n - 1 of a product."""
        w = vector_width(A.data)
        while j + 2 * w <= n:
            tile(A, B, C, D, i, j, k, 0, add)
            j += 2 * w
        r = n - j
        if r > w:
            tile_cut(A, B, C, D, i, j, k, r - w, add)
        elif r > 0:
            narrow_cut(A, B, C, D, i, j, k, r, add)

    return strip


_high_strip, _low_strip = _make_strip(HIGH), _make_strip(LOW)


@part
def _single_strip(A, B, C, D, i, j, n, k, add):
    """Row i and columns j .. n - 1 of a product."""
    w = vector_width(A.data)
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


@part
def _strips(A, B, C, D, i, m, j, n, k, add):
    """Rows i .. m - 1 and columns j .. n - 1 of a product."""
    # With 6 and 4, a rest of 8 is 4 + 4 instead of 6 + 1 + 1.
    while m - i >= HIGH and (HIGH == 2 * LOW or (m - i) // 2 != LOW):
        _high_strip(A, B, C, D, i, j, n, k, add)
        i += HIGH
    while i + LOW <= m:
        _low_strip(A, B, C, D, i, j, n, k, add)
        i += LOW
    while i < m:
        _single_strip(A, B, C, D, i, j, n, k, add)
        i += 1


@part
def multiply(m, n, k, A, B, C, D, add):
    """C (m, n) = A (m, k) B (k, n), or with `add` C = D + A B, where D may be C.

    All four are views; the columns of B, C and D are contiguous.
    """
    if m >= PACK_ROWS and k * n >= PACK_SIZE:
        multiply_packed(m, n, k, A, B, C, D, add)
    else:
        _strips(A, B, C, D, 0, m, 0, n, k, add)


@part_with_allocation
def multiply_packed(m, n, k, A, B, C, D, add):
    """`multiply` for a large B, whose columns may lie apart instead of its rows.

    Panels of B, two vectors wide and at most DEPTH deep, are copied together: they stay in the
    cache while all rows of A pass, and rows that are a power of two apart do not evict each other.
    """
    wide = 2 * vector_width(A.data)
    pieces = (k + DEPTH - 1) // DEPTH
    depth = (k + pieces - 1) // pieces
    panel = np.empty(depth * wide, A.data.dtype)
    for q in range(0, k, depth):
        depth = min(depth, k - q)
        left = View(A.data, A.offset + q * A.column, A.row, A.column)
        if q > 0:
            D, add = C, True
        for j in range(0, n, wide):
            end = min(n, j + wide)
            corner = B.offset + q * B.row + j * B.column
            i = 0
            if B.column != 1:
                copy_transposed(end - j, depth, View(B.data, corner, B.column, 1), panel, wide)
            elif end - j == wide:
                right = View(B.data, B.offset + q * B.row, B.row, 1)
                high_copying(left, right, C, D, 0, j, depth, panel, add)
                i = HIGH
            else:
                copy_panel(View(B.data, corner, B.row, 1), panel, depth, end - j)
            _strips(left, View(panel, -j, wide, 1), C, D, i, m, j, end, depth, add)


@part
def multiply_transposed(m, n, k, A, B, C, spare):
    """C (m, k) = A (m, n) B^T for B (k, n), with contiguous columns everywhere.

    With few rows a transposed copy (into `spare`, of k*n numbers) does not pay.
    """
    if m >= PACK_ROWS and k * n >= PACK_SIZE:
        multiply_packed(m, k, n, A, transposed(B), C, C, False)
        return
    if m >= FEW_ROWS:
        copy_transposed(k, n, B, spare, k)
        multiply(m, k, n, A, View(spare, 0, k, 1), C, C, False)
        return
    for i in range(m):
        row_dots(A, B, C, i, n, k)


def product_once(m, n, k, a, a_row, a_column, b, c):
    """C (m, n) = A (m, k) B (k, n), called from Python; B and C are contiguous."""
    C = View(c, 0, n, 1)
    multiply(m, n, k, View(a, 0, a_row, a_column), View(b, 0, n, 1), C, C, False)
