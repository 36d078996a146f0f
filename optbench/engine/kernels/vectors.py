"""Vectors of the machine as LLVM values: loads, stores and multiply-adds."""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

VECTOR_BYTES = 64 if binding.get_host_cpu_features().get("avx512f") else 32
"""Number of bytes in a vector register of this machine; LLVM splits vectors that are wider."""

WIDTH = {types.float32: VECTOR_BYTES // 4, types.float64: VECTOR_BYTES // 8}
"""Number of elements in a vector, by dtype."""

_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)
_INT1 = ir.IntType(1)


class Vectors:
    """Emits instructions on vectors of one dtype.

    Args:
        context: Numba's target context.
        builder: LLVM builder that receives the instructions.
        dtype: Numba type of the elements.
        tail: number of lanes that a masked load or store touches; None if none is masked.
    """

    def __init__(self, context: Any, builder: Any, dtype: Any, tail: Any | None) -> None:
        self.builder = builder
        self.width = WIDTH[dtype]
        self.align = VECTOR_BYTES // self.width
        self.type = ir.VectorType(context.get_data_type(dtype), self.width)
        self.zero = ir.Constant(self.type, None)
        self.suffix = f"v{self.width}f{self.align * 8}"
        self.mask = None if tail is None else self._first(tail)

    def _first(self, count: Any) -> Any:
        lanes = ir.VectorType(_INT64, self.width)
        numbers = ir.Constant(lanes, list(range(self.width)))
        return self.builder.icmp_signed("<", numbers, self.splat(count, lanes))

    def splat(self, value: Any, kind: Any = None) -> Any:
        """Return a vector with the same value in every lane."""
        kind = kind or self.type
        undefined = ir.Constant(kind, ir.Undefined)
        single = self.builder.insert_element(undefined, value, _INT32(0))
        zeros = ir.Constant(ir.VectorType(_INT32, self.width), [0] * self.width)
        return self.builder.shuffle_vector(single, single, zeros)

    def load(self, pointer: Any, masked: bool) -> Any:
        """Load a vector; masked lanes are 0."""
        address = self.builder.bitcast(pointer, self.type.as_pointer())
        if not masked:
            return self.builder.load(address, align=self.align)
        parts = [self.type.as_pointer(), _INT32, ir.VectorType(_INT1, self.width), self.type]
        function = self._declare(f"llvm.masked.load.{self.suffix}.p0", self.type, parts)
        return self.builder.call(function, [address, _INT32(self.align), self.mask, self.zero])

    def store(self, value: Any, pointer: Any, masked: bool) -> None:
        """Store a vector; masked lanes stay untouched."""
        address = self.builder.bitcast(pointer, self.type.as_pointer())
        if not masked:
            self.builder.store(value, address, align=self.align)
            return
        parts = [self.type, self.type.as_pointer(), _INT32, ir.VectorType(_INT1, self.width)]
        function = self._declare(f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), parts)
        self.builder.call(function, [value, address, _INT32(self.align), self.mask])

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a * b + c, rounded once."""
        function = self._declare(f"llvm.fma.{self.suffix}", self.type, [self.type] * 3)
        return self.builder.call(function, [a, b, c])

    def sum(self, value: Any) -> Any:
        """Return the sum of all lanes, in any order."""
        element = self.type.element
        name = f"llvm.vector.reduce.fadd.{self.suffix}"
        function = self._declare(name, element, [element, self.type])
        return self.builder.call(function, [element(0), value], fastmath=("reassoc",))

    def _declare(self, name: str, result: Any, parts: list[Any]) -> Any:
        kind = ir.FunctionType(result, parts)
        return cgutils.get_or_insert_function(self.builder.module, kind, name)
