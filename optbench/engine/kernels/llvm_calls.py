"""Calls of LLVM functions that are emitted by hand: once for each module, and called with views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils


class ViewValue:
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


def view_values(context: Any, builder: Any, kinds: Any, values: Any) -> list[ViewValue]:
    """Return views in LLVM, from their Numba types and their values."""
    pairs = zip(kinds, values, strict=True)
    return [ViewValue(context, builder, kind, value) for kind, value in pairs]


def number_type(view: Any) -> Any:
    """Return the Numba type of the numbers of a View type."""
    return view.types[view.fields.index("data")].dtype


def shared_call(
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
