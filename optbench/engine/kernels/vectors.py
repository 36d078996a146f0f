"""Vectors of the machine as LLVM values: loads, stores and multiply-adds."""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import config, types
from numba.core import cgutils
from numba.extending import overload

from optbench.contracts import Array


def _has_wide_vectors() -> bool:
    """Return whether code is compiled for AVX-512."""
    features = getattr(config, "CPU_FEATURES", None)  # Numba's variables have no types
    if features is not None:
        return "+avx512f" in features.split(",")
    if getattr(config, "CPU_NAME", None) not in (None, "host"):
        return False
    return bool(binding.get_host_cpu_features().get("avx512f"))


VECTOR_BYTES = 64 if _has_wide_vectors() else 32
"""Number of bytes in a vector register; LLVM splits vectors that are wider."""

SUM_BYTES = 64
"""Number of bytes of the partial sums of a scalar product: the same on every machine, as the order
of a sum decides its last bits."""

WIDTH = {types.float32: VECTOR_BYTES // 4, types.float64: VECTOR_BYTES // 8}
"""Number of elements in a vector, by dtype."""


def vector_width(array: Array) -> int:
    """Return how many numbers of the array's dtype fit into one vector (compiled code only)."""
    raise NotImplementedError(f"only compiled code has vectors, asked for {array.dtype}")


@overload(vector_width)
def _vector_width(array):
    width = WIDTH[array.dtype]
    return lambda array: width


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
        self.align = dtype.bitwidth // 8
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
        """Return the sum of all lanes: the upper half is added to the lower, until one is left."""
        count = self.width // 2
        while count:
            lower, upper = range(count), range(count, 2 * count)
            value = self.builder.fadd(
                self._pick(value, value, list(lower)), self._pick(value, value, list(upper))
            )
            count //= 2
        return self.builder.extract_element(value, _INT32(0))

    def transpose(self, rows: list[Any]) -> list[Any]:
        """Return the columns of a square whose rows are given, `width` of them.

        Blocks off the diagonal change places: the largest first, single numbers last.
        """
        size = self.width // 2
        while size:
            # Of two rows `size` apart, the upper takes the left blocks, the lower the right ones.
            lanes = range(self.width)
            upper = [self.width + i - size if i & size else i for i in lanes]
            lower = [self.width + i if i & size else i + size for i in lanes]
            rows = [
                self._pick(rows[i - size], row, lower)
                if i & size
                else self._pick(row, rows[i + size], upper)
                for i, row in enumerate(rows)
            ]
            size //= 2
        return rows

    def store_sums(self, values: list[Any], pointer: Any) -> None:
        """Store the sum of all lanes of each vector, as `sum` computes it, one beside another.

        Two vectors share one addition of their halves, until the parts of all are in one vector.
        """
        size = self.width  # lanes of each part
        while len(values) > 1:
            size //= 2
            lower = [lane for lane in range(2 * self.width) if lane % (2 * size) < size]
            upper = [lane + size for lane in lower]
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [
                self.builder.fadd(self._pick(a, b, lower), self._pick(a, b, upper))
                for a, b in pairs
            ]
        (value,) = values
        firsts = list(range(0, self.width, size))
        while size > 1:
            size //= 2
            upper = [min(lane + size, self.width - 1) for lane in range(self.width)]
            value = self.builder.fadd(value, self._pick(value, value, upper))
        sums = self._pick(value, value, firsts)
        address = self.builder.bitcast(pointer, sums.type.as_pointer())
        self.builder.store(sums, address, align=self.align)

    def _pick(self, a: Any, b: Any, lanes: list[int]) -> Any:
        """Return a vector of these lanes of two vectors, of which b follows a."""
        places = ir.VectorType(_INT32, len(lanes))
        return self.builder.shuffle_vector(a, b, ir.Constant(places, lanes))

    def _declare(self, name: str, result: Any, parts: list[Any]) -> Any:
        kind = ir.FunctionType(result, parts)
        return cgutils.get_or_insert_function(self.builder.module, kind, name)
