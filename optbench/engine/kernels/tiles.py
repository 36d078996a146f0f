"""Register tiles: the innermost part of a matrix product, as LLVM vector instructions.

BLAS libraries pack their operands first, which costs more than the whole product for matrices of
32 x 32. A tile keeps rows x vectors partial sums in registers and runs over the depth once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from optbench.engine.kernels.llvm_calls import number_type, shared_call, view_values
from optbench.engine.kernels.vectors import Vectors

_INT64 = ir.IntType(64)


def make_tile(rows: int, vectors: int, masked: bool) -> Callable[..., None]:
    """Make the tile function for a fixed shape.

    ``tile(A, B, C, D, i, j, depth, tail, add)`` computes the part of C whose corner is C[i, j]:
    ``C[i + r, j + v] = (D[i + r, j + v] if add else 0) + sum_q A[i + r, q] B[q, j + v]`` for
    r < rows and v < vectors * width. All four are views; the columns of B, C and D are contiguous.

    Args:
        rows: number of rows of the tile.
        vectors: number of vectors per row of the tile.
        masked: the last vector of a row is cut to its first `tail` lanes.
    """

    @intrinsic
    def tile(
        _: Any, a: Any, b: Any, c: Any, d: Any, i: Any, j: Any, depth: Any, tail: Any, add: Any
    ) -> Any:
        index = types.int64
        signature = types.void(a, b, c, d, index, index, index, index, types.boolean)
        name = f"tile_{rows}x{vectors}{'_cut' if masked else ''}"

        def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
            return _tile_pieces(context, builder, (a, b, c, d), args)

        emit = functools.partial(_emit_tile, rows=rows, vectors=vectors, masked=masked)
        return signature, shared_call(name, number_type(a), pieces, emit)

    return tile


def make_copying_tile(rows: int, vectors: int) -> Callable[..., None]:
    """Make a tile function that copies what it reads of B into a flat panel.

    ``tile(A, B, C, D, i, j, depth, panel, add)`` computes what that of `make_tile` does, and leaves
    ``panel[q * vectors * width + v] = B[q, j + v]``: the copy costs no reading of its own.

    Args:
        rows: number of rows of the tile.
        vectors: number of vectors per row of the tile.
    """

    @intrinsic
    def tile(
        _: Any, a: Any, b: Any, c: Any, d: Any, i: Any, j: Any, depth: Any, panel: Any, add: Any
    ) -> Any:
        index = types.int64
        signature = types.void(a, b, c, d, index, index, index, panel, types.boolean)

        def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
            target = context.make_array(panel)(context, builder, args[7]).data
            return _tile_pieces(context, builder, (a, b, c, d), (*args[:7], target, args[8]))

        emit = functools.partial(_emit_tile, rows=rows, vectors=vectors, copying=True)
        name = f"tile_{rows}x{vectors}_copying"
        return signature, shared_call(name, number_type(a), pieces, emit)

    return tile


def _tile_pieces(context: Any, builder: Any, kinds: Any, args: Any) -> list[Any]:
    views, (i, j, *others) = args[:4], args[4:]
    left, right, result, start = view_values(context, builder, kinds, views)
    return [
        left.address(row=i), left.row, left.column, right.address(column=j), right.row,
        result.address(i, j), result.row, start.address(i, j), start.row, *others,
    ]  # fmt: skip


def _emit_tile(
    context: Any, builder: Any, dtype: Any, args: Any, rows: int, vectors: int,
    masked: bool = False, copying: bool = False,
) -> None:  # fmt: skip
    # `other` is the number of lanes of a masked tile, and the panel of one that copies.
    pa, ars, acs, pb, brs, pc, crs, pd, drs, depth, other, add = args
    vec = Vectors(context, builder, dtype, other if masked else None)
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    sums = {place: cgutils.alloca_once(builder, vec.type) for place in places}

    def cut(v: int) -> bool:
        return masked and v == vectors - 1

    def address(base: Any, stride: Any, r: Any, v: int) -> Any:
        row = builder.gep(base, [builder.mul(stride, r)])
        return builder.gep(row, [_INT64(v * vec.width)])

    with builder.if_else(add) as (with_d, from_zero):
        with with_d:
            for r, v in places:
                builder.store(vec.load(address(pd, drs, _INT64(r), v), cut(v)), sums[r, v])
        with from_zero:
            for r, v in places:
                builder.store(vec.zero, sums[r, v])
    with cgutils.for_range(builder, depth) as loop:
        right = [vec.load(address(pb, brs, loop.index, v), cut(v)) for v in range(vectors)]
        if copying:
            for v in range(vectors):
                row = address(other, _INT64(vectors * vec.width), loop.index, v)
                vec.store(right[v], row, False)
        column = builder.gep(pa, [builder.mul(loop.index, acs)])
        for r in range(rows):
            left = builder.load(builder.gep(column, [builder.mul(ars, _INT64(r))]), align=vec.align)
            spread = vec.splat(left)
            for v in range(vectors):
                total = vec.fma(spread, right[v], builder.load(sums[r, v]))
                builder.store(total, sums[r, v])
    for r, v in places:
        vec.store(builder.load(sums[r, v]), address(pc, crs, _INT64(r), v), cut(v))
