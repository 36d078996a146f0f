"""Copies of parts of a matrix: side by side in a panel, or transposed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from optbench.engine.kernels.jit import part
from optbench.engine.kernels.llvm_calls import number_type, shared_call, view_values
from optbench.engine.kernels.memory import load, store
from optbench.engine.kernels.vectors import WIDTH, Vectors, vector_width
from optbench.engine.kernels.views import View

_INT64 = ir.IntType(64)


@intrinsic
def copy_panel(_: Any, a: Any, panel: Any, rows: Any, columns: Any) -> Any:
    """``panel[i * 2w + j] = A[i, j]`` for i < rows and j < columns, with vectors of w numbers.

    There are at most 2w columns, which are contiguous; other numbers of the panel become 0.
    """
    signature = types.void(a, panel, types.int64, types.int64)

    def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
        (source,) = view_values(context, builder, (a,), args[:1])
        target = context.make_array(panel)(context, builder, args[1]).data
        return [source.address(), source.row, target, *args[2:]]

    return signature, shared_call("copy_panel", number_type(a), pieces, _emit_copy_panel)


@intrinsic
def _copy_square(_: Any, a: Any, copy: Any, begin: Any, width: Any) -> Any:
    """``copy[begin + j * width + i] = A[i, j]`` for i and j within one vector."""
    signature = types.void(a, copy, types.int64, types.int64)

    def pieces(context: Any, builder: Any, args: Any) -> list[Any]:
        (source,) = view_values(context, builder, (a,), args[:1])
        target = context.make_array(copy)(context, builder, args[1]).data
        return [source.address(), source.row, builder.gep(target, [args[2]]), args[3]]

    return signature, shared_call("copy_square", number_type(a), pieces, _emit_copy_square)


@part
def copy_transposed(n_rows, n_columns, A, copy, width):
    """copy[j * width + i] = A[i, j] for A (n_rows, n_columns) with contiguous columns.

    Squares of registers are transposed at once. The last ones overlap those before them.
    """
    w = vector_width(A.data)
    if n_rows < w or n_columns < w:
        for i in range(n_rows):
            begin = A.offset + i * A.row
            for j in range(n_columns):
                store(copy, j * width + i, load(A.data, begin + j))
        return
    for row in range(0, n_rows, w):
        i = min(row, n_rows - w)
        for column in range(0, n_columns, w):
            j = min(column, n_columns - w)
            square = View(A.data, A.offset + i * A.row + j, A.row, 1)
            _copy_square(square, copy, j * width + i, width)


def _emit_copy_panel(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    source, source_row, target, rows, columns = args
    for v in range(2):
        begin = _INT64(v * WIDTH[dtype])
        vec = Vectors(context, builder, dtype, builder.sub(columns, begin))
        with cgutils.for_range(builder, rows) as loop:
            place = builder.add(builder.mul(loop.index, source_row), begin)
            value = vec.load(builder.gep(source, [place]), True)
            place = builder.add(builder.mul(loop.index, _INT64(2 * vec.width)), begin)
            vec.store(value, builder.gep(target, [place]), False)


def _emit_copy_square(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    source, source_row, target, width = args
    vec = Vectors(context, builder, dtype, None)
    numbers = [_INT64(number) for number in range(vec.width)]
    rows = [
        vec.load(builder.gep(source, [builder.mul(source_row, number)]), False)
        for number in numbers
    ]
    for number, column in zip(numbers, vec.transpose(rows), strict=True):
        vec.store(column, builder.gep(target, [builder.mul(width, number)]), False)
