"""Products of small matrices, stored flat and row by row."""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from optbench.contracts import Array
from optbench.engine.kernels.jit import jit
from optbench.engine.kernels.memory import load, store
from optbench.engine.kernels.tiles import WIDTH, make_outer, make_tile, row_dots

# Four rows times two vectors are eight sums in flight: enough to hide a multiply-add's latency.
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
"""Below so many rows a transposed copy does not pay."""
DEPTH = 256
"""Rows of a panel of a large matrix: 16 KiB in float32."""
PACK_ROWS, PACK_SIZE = 16, 128 * 128
"""A matrix of this size, met by so many rows, is worth copying into panels."""


def vector_width(array: Array) -> int:
    """Numbers of the array's dtype in one vector (compiled code only)."""
    raise NotImplementedError(f"only compiled code has vectors, asked for {array.dtype}")


@overload(vector_width)
def _vector_width(array):
    width = WIDTH[array.dtype]
    return lambda array: width


@jit
def multiply_packed(m, n, k, a, ia, ars, acs, b, ib, brs, bcs, c, ic, crs, d, id_, drs, add):
    """`multiply` for a large B, here with a column stride too: B[q, j] = b[ib + q*brs + j*bcs].

    Panels of B, two vectors wide and DEPTH deep, are copied together: they stay in the first cache
    while all rows of A pass, and rows a power of two apart no longer crowd each other out of it.
    """
    w = vector_width(a)
    wide = 2 * w
    panel = np.empty(DEPTH * wide, a.dtype)
    for q0 in range(0, k, DEPTH):
        depth = min(DEPTH, k - q0)
        aq = ia + q0 * acs
        if q0 > 0:
            d, id_, drs, add = c, ic, crs, True
        for j in range(0, n, wide):
            r = min(wide, n - j)
            for q in range(depth):
                row = ib + (q0 + q) * brs + j * bcs
                for v in range(r):
                    store(panel, q * wide + v, load(b, row + v * bcs))
            i = 0
            while i + 4 <= m:
                at, to, on = aq + i * ars, ic + i * crs + j, id_ + i * drs + j
                if r == wide:
                    tile_4x2(a, at, ars, acs, panel, 0, wide, c, to, crs, d, on, drs, depth, 0, add)
                elif r > w:
                    tile_4x2_cut(
                        a, at, ars, acs, panel, 0, wide, c, to, crs, d, on, drs, depth, r - w, add
                    )
                else:
                    tile_4x1_cut(
                        a, at, ars, acs, panel, 0, wide, c, to, crs, d, on, drs, depth, r, add
                    )
                i += 4
            while i < m:
                at, to, on = aq + i * ars, ic + i * crs + j, id_ + i * drs + j
                if r > w:
                    tile_1x2_cut(
                        a, at, ars, acs, panel, 0, wide, c, to, crs, d, on, drs, depth, r - w, add
                    )
                else:
                    tile_1x1_cut(
                        a, at, ars, acs, panel, 0, wide, c, to, crs, d, on, drs, depth, r, add
                    )
                i += 1


@jit
def multiply(m, n, k, a, ia, ars, acs, b, ib, brs, c, ic, crs, d, id_, drs, add):
    """C (m, n) = A (m, k) B (k, n), or with `add` C = D + A B, where D may be C.

    A[i, q] = a[ia + i*ars + q*acs], so that (ars, acs) = (1, m) reads a transposed matrix;
    B[q, j] = b[ib + q*brs + j]; C[i, j] = c[ic + i*crs + j]; D[i, j] = d[id_ + i*drs + j].
    """
    if m >= PACK_ROWS and k * n >= PACK_SIZE:
        multiply_packed(m, n, k, a, ia, ars, acs, b, ib, brs, 1, c, ic, crs, d, id_, drs, add)
        return
    w = vector_width(a)
    i = 0
    while i + 4 <= m:
        at, to, on = ia + i * ars, ic + i * crs, id_ + i * drs
        j = 0
        while j + 2 * w <= n:
            tile_4x2(a, at, ars, acs, b, ib + j, brs, c, to + j, crs, d, on + j, drs, k, 0, add)
            j += 2 * w
        r = n - j
        if r > w:
            tile_4x2_cut(
                a, at, ars, acs, b, ib + j, brs, c, to + j, crs, d, on + j, drs, k, r - w, add
            )
        elif r > 0:
            tile_4x1_cut(a, at, ars, acs, b, ib + j, brs, c, to + j, crs, d, on + j, drs, k, r, add)
        i += 4
    while i < m:
        at, to, on = ia + i * ars, ic + i * crs, id_ + i * drs
        j = 0
        while j + 4 * w <= n:
            tile_1x4(a, at, ars, acs, b, ib + j, brs, c, to + j, crs, d, on + j, drs, k, 0, add)
            j += 4 * w
        while n - j > w:
            r = min(n - j - w, w)
            tile_1x2_cut(a, at, ars, acs, b, ib + j, brs, c, to + j, crs, d, on + j, drs, k, r, add)
            j += w + r
        r = n - j
        if r > 0:
            tile_1x1_cut(a, at, ars, acs, b, ib + j, brs, c, to + j, crs, d, on + j, drs, k, r, add)
        i += 1


@jit
def transpose(n_rows, n_columns, a, ia, b):
    """b[j, i] = a[i, j] for a (n_rows, n_columns) at offset `ia`."""
    for i in range(n_rows):
        row = ia + i * n_columns
        for j in range(n_columns):
            store(b, j * n_rows + i, load(a, row + j))


@jit
def multiply_transposed(m, n, k, a, b, ib, c, spare):
    """C (m, k) = A (m, n) B^T for B (k, n) at offset `ib`; A and C at offset 0.

    With few rows a transposed copy (into `spare`, of k*n numbers) does not pay.
    """
    if m >= PACK_ROWS and k * n >= PACK_SIZE:
        multiply_packed(m, k, n, a, 0, n, 1, b, ib, 1, n, c, 0, k, c, 0, k, False)
        return
    if m >= FEW_ROWS:
        transpose(k, n, b, ib, spare)
        multiply(m, k, n, a, 0, n, 1, spare, 0, k, c, 0, k, c, 0, k, False)
        return
    for i in range(m):
        row_dots(a, i * n, b, ib, c, i * k, n, k)


@jit
def outer_product(m, n, a, ia, b, c, ic):
    """C (m, n) = a b^T for a (m,) at offset `ia` and b (n,) at offset 0."""
    w = vector_width(a)
    j = 0
    while j + 4 * w <= n:
        outer_4(a, ia, b, j, c, ic + j, n, m, 0)
        j += 4 * w
    while j + w <= n:
        outer_1(a, ia, b, j, c, ic + j, n, m, 0)
        j += w
    if j < n:
        outer_1_cut(a, ia, b, j, c, ic + j, n, m, n - j)
