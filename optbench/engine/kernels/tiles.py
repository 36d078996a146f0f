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

from optbench.engine.kernels.vectors import WIDTH, Vectors

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
            views, (i, j, depth, tail, add) = args[:4], args[4:]
            left, right, result, start = _view_values(context, builder, (a, b, c, d), views)
            return [
                left.address(row=i), left.row, left.column, right.address(column=j), right.row,
                result.address(i, j), result.row, start.address(i, j), start.row, depth, tail, add,
            ]  # fmt: skip

        emit = functools.partial(_emit_tile, rows=rows, vectors=vectors, masked=masked)
        return signature, _call_of(name, _dtype(a), pieces, emit)

    return tile


def make_outer(vectors: int, masked: bool) -> Callable[..., None]:
    """Make the outer product of a column and a row: ``C[p, j + v] = A[p, 0] B[0, j + v]``.

    ``outer(A, B, C, j, count, tail)`` computes it for p < count and v < vectors * width. It is the
    gradient of a weight for a single example. The numbers of each view are contiguous.

    Args:
        vectors: number of vectors per row.
        masked: the last vector of a row is cut to its first `tail` lanes.
    """

    @intrinsic
    def outer(_: Any, a: Any, b: Any, c: Any, j: Any, count: Any, tail: Any) -> Any:
        signature = types.void(a, b, c, types.int64, types.int64, types.int64)
        name = f"outer_{vectors}{'_cut' if masked else ''}"

        def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
            views, (j, count, tail) = args[:3], args[3:]
            left, right, result = _view_values(context, builder, (a, b, c), views)
            return [
                left.address(), right.address(column=j), result.address(column=j), result.row,
                count, tail,
            ]  # fmt: skip

        emit = functools.partial(_emit_outer, vectors=vectors, masked=masked)
        return signature, _call_of(name, _dtype(a), pieces, emit)

    return outer


@intrinsic
def row_dots(_: Any, a: Any, b: Any, c: Any, i: Any, n: Any, count: Any) -> Any:
    """``C[i, p] = sum_j A[i, j] B[p, j]`` for j < n and p < count: a row of A times B^T.

    The columns of each view are contiguous.
    """
    signature = types.void(a, b, c, types.int64, types.int64, types.int64)

    def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
        views, (i, n, count) = args[:3], args[3:]
        left, right, result = _view_values(context, builder, (a, b, c), views)
        return [left.address(row=i), right.address(), right.row, result.address(row=i), n, count]

    return signature, _call_of("row_dots", _dtype(a), pieces, _emit_row_dots)


class _ViewValue:
    """A `View` in LLVM: its parts as values."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        parts = {
            name: builder.extract_value(value, index) for index, name in enumerate(kind.fields)
        }
        array_kind = kind.types[kind.fields.index("data")]
        self._builder = builder
        self._data = context.make_array(array_kind)(context, builder, parts["data"]).data
        self._offset = parts["offset"]
        self.row, self.column = parts["row"], parts["column"]

    def address(self, row: Any = None, column: Any = None) -> Any:
        """Return the address of an element; the columns are contiguous."""
        offset = self._offset
        if row is not None:
            offset = self._builder.add(offset, self._builder.mul(row, self.row))
        if column is not None:
            offset = self._builder.add(offset, column)
        return self._builder.gep(self._data, [offset])


def _view_values(context: Any, builder: Any, kinds: Any, values: Any) -> list[_ViewValue]:
    pairs = zip(kinds, values, strict=True)
    return [_ViewValue(context, builder, kind, value) for kind, value in pairs]


def _dtype(view: Any) -> Any:
    """Return the Numba type of the numbers of a View type."""
    return view.types[view.fields.index("data")].dtype


def _call_of(
    name: str, dtype: Any, pieces: Callable[..., list[Any]], emit: Callable[..., None]
) -> Callable[..., Any]:
    """Generate a call of an LLVM function of its own, whose body is emitted at its first use.

    Otherwise every product would hold a copy of every tile, which takes long to compile.

    Args:
        name: name of the function.
        dtype: Numba type of the numbers.
        pieces: computes the function's arguments (addresses, strides, counts).
        emit: writes the function's body.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = pieces(context, builder, args)
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = cgutils.get_or_insert_function(builder.module, kind, f"optbench_{name}_{dtype}")
        if function.is_declaration:
            function.linkage = "linkonce_odr"
            function.attributes.add("noinline")
            inner = ir.IRBuilder(function.append_basic_block("entry"))
            emit(context, inner, dtype, function.args)
            inner.ret_void()
        builder.call(function, values)
        return context.get_dummy_value()

    return generate


def _emit_tile(
    context: Any, builder: Any, dtype: Any, args: Any, rows: int, vectors: int, masked: bool
) -> None:
    pa, ars, acs, pb, brs, pc, crs, pd, drs, depth, tail, add = args
    vec = Vectors(context, builder, dtype, tail if masked else None)
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    sums = {place: cgutils.alloca_once(builder, vec.type) for place in places}

    def cut(v: int) -> bool:
        return masked and v == vectors - 1

    def address(base: Any, stride: Any, r: int, v: int) -> Any:
        offset = builder.add(builder.mul(stride, _INT64(r)), _INT64(v * vec.width))
        return builder.gep(base, [offset])

    with builder.if_else(add) as (with_d, from_zero):
        with with_d:
            for r, v in places:
                builder.store(vec.load(address(pd, drs, r, v), cut(v)), sums[r, v])
        with from_zero:
            for r, v in places:
                builder.store(vec.zero, sums[r, v])
    with cgutils.for_range(builder, depth) as loop:
        row = builder.gep(pb, [builder.mul(loop.index, brs)])
        right = [
            vec.load(builder.gep(row, [_INT64(v * vec.width)]), cut(v)) for v in range(vectors)
        ]
        column = builder.gep(pa, [builder.mul(loop.index, acs)])
        for r in range(rows):
            left = builder.load(builder.gep(column, [builder.mul(ars, _INT64(r))]), align=vec.align)
            spread = vec.splat(left)
            for v in range(vectors):
                total = vec.fma(spread, right[v], builder.load(sums[r, v]))
                builder.store(total, sums[r, v])
    for r, v in places:
        vec.store(builder.load(sums[r, v]), address(pc, crs, r, v), cut(v))


def _emit_outer(
    context: Any, builder: Any, dtype: Any, args: Any, vectors: int, masked: bool
) -> None:
    pa, pb, pc, crs, count, tail = args
    vec = Vectors(context, builder, dtype, tail if masked else None)
    cuts = [masked and v == vectors - 1 for v in range(vectors)]
    right = [vec.load(builder.gep(pb, [_INT64(v * vec.width)]), cut) for v, cut in enumerate(cuts)]
    with cgutils.for_range(builder, count) as loop:
        left = vec.splat(builder.load(builder.gep(pa, [loop.index]), align=vec.align))
        row = builder.gep(pc, [builder.mul(loop.index, crs)])
        for v, cut in enumerate(cuts):
            target = builder.gep(row, [_INT64(v * vec.width)])
            vec.store(builder.fmul(left, right[v]), target, cut)


def _emit_row_dots(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    pa, pb, row_stride, pc, n, count = args
    width = _INT64(WIDTH[dtype])
    tail = builder.srem(n, width)
    full = builder.sub(n, tail)
    vec = Vectors(context, builder, dtype, tail)
    total = cgutils.alloca_once(builder, vec.type)
    cut = builder.icmp_signed(">", tail, _INT64(0))
    with cgutils.for_range(builder, count) as rows:
        row = builder.gep(pb, [builder.mul(rows.index, row_stride)])

        def add(index: Any, masked: bool, row: Any = row) -> None:
            left = vec.load(builder.gep(pa, [index]), masked)
            right = vec.load(builder.gep(row, [index]), masked)
            builder.store(vec.fma(left, right, builder.load(total)), total)

        builder.store(vec.zero, total)
        with cgutils.for_range(builder, builder.sdiv(full, width)) as blocks:
            add(builder.mul(blocks.index, width), False)
        with builder.if_then(cut):
            add(full, True)
        builder.store(vec.sum(builder.load(total)), builder.gep(pc, [rows.index]))
