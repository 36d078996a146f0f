"""Products of a single row, as LLVM vector instructions: training one example at a time.

One call computes a whole row: calls, and not arithmetic, would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from optbench.engine.kernels.llvm_calls import number_type, shared_call, view_values
from optbench.engine.kernels.vectors import SUM_BYTES, VECTOR_BYTES, WIDTH, Vectors

_INT64 = ir.IntType(64)
GROUP = 8
"""Number of vectors of sums that a row times a matrix keeps in registers."""
DOTS = 4
"""Number of scalar products that are summed together."""


@intrinsic
def row_times_matrix(_: Any, a: Any, b: Any, c: Any, d: Any, n: Any, depth: Any) -> Any:
    """``C[0, j] = D[0, j] + sum_q A[0, q] B[q, j]`` for j < n and q < depth.

    The columns of each view are contiguous; D may be C.
    """
    signature = types.void(a, b, c, d, types.int64, types.int64)

    def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
        views, (n, depth) = args[:4], args[4:]
        left, right, result, start = view_values(context, builder, (a, b, c, d), views)
        return [
            left.address(), right.address(), right.row, result.address(), start.address(), n, depth,
        ]  # fmt: skip

    return signature, shared_call(
        "row_times_matrix", number_type(a), pieces, _emit_row_times_matrix
    )


@intrinsic
def outer_product(_: Any, a: Any, b: Any, c: Any, count: Any, n: Any) -> Any:
    """``C[p, j] = A[0, p] B[0, j]`` for p < count and j < n.

    It is the gradient of a weight for a single example. The numbers of each view are contiguous.
    """
    signature = types.void(a, b, c, types.int64, types.int64)

    def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
        views, (count, n) = args[:3], args[3:]
        left, right, result = view_values(context, builder, (a, b, c), views)
        return [left.address(), right.address(), result.address(), count, n]

    return signature, shared_call("outer_product", number_type(a), pieces, _emit_outer_product)


@intrinsic
def row_dots(_: Any, a: Any, b: Any, c: Any, i: Any, n: Any, count: Any) -> Any:
    """``C[i, p] = sum_j A[i, j] B[p, j]`` for j < n and p < count: a row of A times B^T.

    The columns of each view are contiguous.
    """
    signature = types.void(a, b, c, types.int64, types.int64, types.int64)

    def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
        views, (i, n, count) = args[:3], args[3:]
        left, right, result = view_values(context, builder, (a, b, c), views)
        return [left.address(row=i), right.address(), right.row, result.address(row=i), n, count]

    return signature, shared_call("row_dots", number_type(a), pieces, _emit_row_dots)


def _place(builder: Any, base: Any, row: Any, stride: Any, column: Any = None) -> Any:
    offset = builder.mul(row, stride)
    return builder.gep(base, [offset if column is None else builder.add(offset, column)])


def _emit_row_times_matrix(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    pa, pb, row_stride, pc, pd, n, depth = args
    width = WIDTH[dtype]

    def group(first: Any, vectors: int, tail: Any) -> None:
        vec = Vectors(context, builder, dtype, tail)
        cuts = [tail is not None and v == vectors - 1 for v in range(vectors)]
        columns = [builder.add(first, _INT64(v * width)) for v in range(vectors)]
        sums = [cgutils.alloca_once(builder, vec.type) for _ in range(vectors)]
        for total, column, cut in zip(sums, columns, cuts, strict=True):
            builder.store(vec.load(builder.gep(pd, [column]), cut), total)
        with cgutils.for_range(builder, depth) as loop:
            left = vec.splat(builder.load(builder.gep(pa, [loop.index]), align=vec.align))
            for total, column, cut in zip(sums, columns, cuts, strict=True):
                right = vec.load(_place(builder, pb, loop.index, row_stride, column), cut)
                builder.store(vec.fma(left, right, builder.load(total)), total)
        for total, column, cut in zip(sums, columns, cuts, strict=True):
            vec.store(builder.load(total), builder.gep(pc, [column]), cut)

    _groups(builder, n, width, group)


def _groups(builder: Any, n: Any, width: int, group: Callable[[Any, int, Any], None]) -> None:
    """Emit ``group(first, vectors, tail)`` for n columns, GROUP vectors at a time.

    It emits code for the columns from `first` on; the last vector is cut to `tail` lanes, unless
    that is None. The whole groups come last.
    """
    lanes = _INT64(GROUP * width)
    full = builder.sub(n, builder.srem(n, lanes))
    rest = builder.sub(n, full)
    end = builder.append_basic_block("end")
    count = builder.sdiv(builder.add(rest, _INT64(width - 1)), _INT64(width))
    switch = builder.switch(count, end)
    for vectors in range(1, GROUP + 1):
        block = builder.append_basic_block(f"rest_{vectors}")
        switch.add_case(_INT64(vectors), block)
        builder.position_at_end(block)
        group(full, vectors, builder.sub(rest, _INT64((vectors - 1) * width)))
        builder.branch(end)
    builder.position_at_end(end)
    with cgutils.for_range(builder, builder.sdiv(full, lanes)) as groups:
        group(builder.mul(groups.index, lanes), GROUP, None)


def _emit_outer_product(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    pa, pb, pc, count, n = args
    width = WIDTH[dtype]
    end = builder.mul(count, n)

    def group(first: Any, vectors: int, tail: Any) -> None:
        vec = Vectors(context, builder, dtype, tail)
        cuts = [tail is not None and v == vectors - 1 for v in range(vectors)]
        columns = [builder.add(first, _INT64(v * width)) for v in range(vectors)]
        right = [
            vec.load(builder.gep(pb, [column]), cut)
            for column, cut in zip(columns, cuts, strict=True)
        ]
        with cgutils.for_range(builder, count) as rows:
            left = vec.splat(builder.load(builder.gep(pa, [rows.index]), align=vec.align))
            row = builder.mul(rows.index, n)
            for value, column, cut in zip(right, columns, cuts, strict=True):
                product, place = builder.fmul(left, value), builder.add(row, column)
                if not cut:
                    vec.store(product, builder.gep(pc, [place]), False)
                    continue
                # A masked store is slow on some processors. What a whole vector writes too much
                # is overwritten by the next rows and whole groups, unless it is beyond the end.
                fits = builder.icmp_signed("<=", builder.add(place, _INT64(width)), end)
                with builder.if_else(fits) as (whole, masked):
                    for branch, cutting in ((whole, False), (masked, True)):
                        with branch:
                            vec.store(product, builder.gep(pc, [place]), cutting)

    _groups(builder, n, width, group)


def _emit_row_dots(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    pa, pb, row_stride, pc, n, count = args
    # Partial sums of SUM_BYTES, however many vectors that takes on this machine.
    width, parts = WIDTH[dtype], range(SUM_BYTES // VECTOR_BYTES)
    lanes = _INT64(width * len(parts))
    tail = builder.srem(n, lanes)
    full = builder.sub(n, tail)
    vecs = [
        Vectors(context, builder, dtype, builder.sub(tail, _INT64(part * width))) for part in parts
    ]
    cut = builder.icmp_signed(">", tail, _INT64(0))

    def sums(first: Any, rows: int) -> list[Any]:
        """Return the partial sums of rows first, first + 1, ... of B, one vector for each."""
        totals = [[cgutils.alloca_once(builder, vec.type) for vec in vecs] for _ in range(rows)]
        bases = [
            _place(builder, pb, builder.add(first, _INT64(r)), row_stride) for r in range(rows)
        ]

        def add(index: Any, masked: bool) -> None:
            for part, vec in zip(parts, vecs, strict=True):
                place = builder.add(index, _INT64(part * width))
                left = vec.load(builder.gep(pa, [place]), masked)
                for base, row in zip(bases, totals, strict=True):
                    right = vec.load(builder.gep(base, [place]), masked)
                    builder.store(vec.fma(left, right, builder.load(row[part])), row[part])

        for row in totals:
            for vec, total in zip(vecs, row, strict=True):
                builder.store(vec.zero, total)
        with cgutils.for_range(builder, builder.sdiv(full, lanes)) as blocks:
            add(builder.mul(blocks.index, lanes), False)
        with builder.if_then(cut):
            add(full, True)
        wholes = []
        for row in totals:
            whole = builder.load(row[0])
            for total in row[1:]:
                whole = builder.fadd(whole, builder.load(total))
            wholes.append(whole)
        return wholes

    together = builder.sdiv(count, _INT64(DOTS))
    with cgutils.for_range(builder, together) as groups:
        first = builder.mul(groups.index, _INT64(DOTS))
        vecs[0].store_sums(sums(first, DOTS), builder.gep(pc, [first]))
    done = builder.mul(together, _INT64(DOTS))
    with cgutils.for_range(builder, builder.sub(count, done)) as rows:
        row = builder.add(done, rows.index)
        builder.store(vecs[0].sum(sums(row, 1)[0]), builder.gep(pc, [row]))
