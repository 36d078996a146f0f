"""Register tiles: the innermost part of a matrix product, as LLVM vector instructions.

BLAS libraries pack their operands first, which costs more than the product itself for matrices of
32 x 32. A tile keeps rows x vectors partial sums in registers and runs over the depth once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VECTOR_BYTES = 64 if binding.get_host_cpu_features().get("avx512f") else 32
"""Bytes in a vector register of this machine; wider vectors than it has are split by LLVM."""

WIDTH = {types.float32: VECTOR_BYTES // 4, types.float64: VECTOR_BYTES // 8}
"""Numbers in a vector, by dtype."""

_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)
_INT1 = ir.IntType(1)


class _Vectors:
    """Emits loads, stores and fused multiply-adds of vectors, the last one of a row masked."""

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
        kind = kind or self.type
        undefined = ir.Constant(kind, ir.Undefined)
        single = self.builder.insert_element(undefined, value, _INT32(0))
        nought = ir.Constant(ir.VectorType(_INT32, self.width), [0] * self.width)
        return self.builder.shuffle_vector(single, single, nought)

    def load(self, pointer: Any, masked: bool) -> Any:
        address = self.builder.bitcast(pointer, self.type.as_pointer())
        if not masked:
            return self.builder.load(address, align=self.align)
        parts = [self.type.as_pointer(), _INT32, ir.VectorType(_INT1, self.width), self.type]
        function = self._declare(f"llvm.masked.load.{self.suffix}.p0", self.type, parts)
        return self.builder.call(function, [address, _INT32(self.align), self.mask, self.zero])

    def store(self, value: Any, pointer: Any, masked: bool) -> None:
        address = self.builder.bitcast(pointer, self.type.as_pointer())
        if not masked:
            self.builder.store(value, address, align=self.align)
            return
        parts = [self.type, self.type.as_pointer(), _INT32, ir.VectorType(_INT1, self.width)]
        function = self._declare(f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), parts)
        self.builder.call(function, [value, address, _INT32(self.align), self.mask])

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        function = self._declare(f"llvm.fma.{self.suffix}", self.type, [self.type] * 3)
        return self.builder.call(function, [a, b, c])

    def sum(self, value: Any) -> Any:
        """The sum of all lanes, in any order."""
        element = self.type.element
        name = f"llvm.vector.reduce.fadd.{self.suffix}"
        function = self._declare(name, element, [element, self.type])
        return self.builder.call(function, [element(0), value], fastmath=("reassoc",))

    def _declare(self, name: str, result: Any, parts: list[Any]) -> Any:
        kind = ir.FunctionType(result, parts)
        return cgutils.get_or_insert_function(self.builder.module, kind, name)


def make_tile(rows: int, vectors: int, masked: bool) -> Callable[..., None]:
    """Make the tile function for a fixed shape.

    The function computes, for r < rows and j < vectors * width (the last vector cut to its first
    `tail` lanes if `masked`), ``C[r, j] = (D[r, j] if add else 0) + sum_q A[r, q] B[q, j]`` with
    ``A[r, q] = a[ia + r*ars + q*acs]``, ``B[q, j] = b[ib + q*brs + j]``,
    ``C[r, j] = c[ic + r*crs + j]`` and ``D[r, j] = d[id + r*drs + j]``; a row stride of 0 repeats a
    row, so a bias is a D with stride 0.
    """

    @intrinsic
    def tile(
        _: Any, a: Any, ia: Any, ars: Any, acs: Any, b: Any, ib: Any, brs: Any,
        c: Any, ic: Any, crs: Any, d: Any, id_: Any, drs: Any, depth: Any, tail: Any, add: Any,
    ) -> Any:  # fmt: skip
        whole = types.int64
        signature = types.void(
            a, whole, whole, whole, b, whole, whole, c, whole, whole, d, whole, whole,
            whole, whole, types.boolean,
        )  # fmt: skip
        name = f"tile_{rows}x{vectors}{'_cut' if masked else ''}"
        return signature, _calling(name, lambda *args: _emit(*args, rows, vectors, masked))

    return tile


def make_outer(vectors: int, masked: bool) -> Callable[..., None]:
    """Make the outer product of a column and `vectors` vectors: ``C[p, j] = a[ia + p] b[ib + j]``.

    It is what a weight's gradient is for a single example. C[p, j] = c[ic + p*crs + j].
    """

    @intrinsic
    def outer(
        _: Any, a: Any, ia: Any, b: Any, ib: Any, c: Any, ic: Any, crs: Any, count: Any, tail: Any
    ) -> Any:
        whole = types.int64
        signature = types.void(a, whole, b, whole, c, whole, whole, whole, whole)
        name = f"outer_{vectors}{'_cut' if masked else ''}"
        return signature, _calling(name, lambda *args: _emit_outer(*args, vectors, masked))

    return outer


@intrinsic
def row_dots(_: Any, a: Any, ia: Any, b: Any, ib: Any, c: Any, ic: Any, n: Any, count: Any) -> Any:
    """``c[ic + p] = sum_j a[ia + j] b[ib + p*n + j]`` for p < count: a vector times B^T."""
    whole = types.int64
    signature = types.void(a, whole, b, whole, c, whole, whole, whole)
    return signature, _calling("row_dots", _emit_row_dots)


def _calling(name: str, emit: Callable[..., None]) -> Callable[..., Any]:
    """Code that calls a piece as an LLVM function of its own, which is emitted at its first use.

    A copy of every piece in every product would take long to compile.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        flat = _flatten(context, builder, signature, args)
        dtype = signature.args[0].dtype
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in flat])
        function = cgutils.get_or_insert_function(builder.module, kind, f"optbench_{name}_{dtype}")
        if function.is_declaration:
            function.linkage = "linkonce_odr"
            function.attributes.add("noinline")
            inner = ir.IRBuilder(function.append_basic_block("entry"))
            emit(context, inner, dtype, function.args)
            inner.ret_void()
        builder.call(function, flat)
        return context.get_dummy_value()

    return generate


def _flatten(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    """Replace each array and the offset behind it by one pointer."""
    flat = []
    arguments = iter(zip(signature.args, args, strict=True))
    for kind, value in arguments:
        if isinstance(kind, types.Array):
            offset = next(arguments)[1]
            data = context.make_array(kind)(context, builder, value).data
            flat.append(builder.gep(data, [offset]))
        else:
            flat.append(value)
    return flat


def _emit(
    context: Any, builder: Any, dtype: Any, args: Any, rows: int, vectors: int, masked: bool
) -> None:
    pa, ars, acs, pb, brs, pc, crs, pd, drs, depth, tail, add = args
    vec = _Vectors(context, builder, dtype, tail if masked else None)
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    sums = {where: cgutils.alloca_once(builder, vec.type) for where in places}

    def cut(v: int) -> bool:
        return masked and v == vectors - 1

    def place(base: Any, stride: Any, r: int, v: int) -> Any:
        offset = builder.add(builder.mul(stride, _INT64(r)), _INT64(v * vec.width))
        return builder.gep(base, [offset])

    with builder.if_else(add) as (adding, fresh):
        with adding:
            for r, v in places:
                builder.store(vec.load(place(pd, drs, r, v), cut(v)), sums[r, v])
        with fresh:
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
        vec.store(builder.load(sums[r, v]), place(pc, crs, r, v), cut(v))


def _emit_outer(
    context: Any, builder: Any, dtype: Any, args: Any, vectors: int, masked: bool
) -> None:
    pa, pb, pc, crs, count, tail = args
    vec = _Vectors(context, builder, dtype, tail if masked else None)
    cuts = [masked and v == vectors - 1 for v in range(vectors)]
    right = [vec.load(builder.gep(pb, [_INT64(v * vec.width)]), cut) for v, cut in enumerate(cuts)]
    with cgutils.for_range(builder, count) as loop:
        left = vec.splat(builder.load(builder.gep(pa, [loop.index]), align=vec.align))
        row = builder.gep(pc, [builder.mul(loop.index, crs)])
        for v, cut in enumerate(cuts):
            target = builder.gep(row, [_INT64(v * vec.width)])
            vec.store(builder.fmul(left, right[v]), target, cut)


def _emit_row_dots(context: Any, builder: Any, dtype: Any, args: Any) -> None:
    pa, pb, pc, n, count = args
    width = _INT64(WIDTH[dtype])
    tail = builder.srem(n, width)
    full = builder.sub(n, tail)
    vec = _Vectors(context, builder, dtype, tail)
    total = cgutils.alloca_once(builder, vec.type)
    cut = builder.icmp_signed(">", tail, _INT64(0))
    with cgutils.for_range(builder, count) as rows:
        row = builder.gep(pb, [builder.mul(rows.index, n)])

        def add(at: Any, masked: bool, row: Any = row) -> None:
            left = vec.load(builder.gep(pa, [at]), masked)
            right = vec.load(builder.gep(row, [at]), masked)
            builder.store(vec.fma(left, right, builder.load(total)), total)

        builder.store(vec.zero, total)
        with cgutils.for_range(builder, builder.sdiv(full, width)) as blocks:
            add(builder.mul(blocks.index, width), False)
        with builder.if_then(cut):
            add(full, True)
        builder.store(vec.sum(builder.load(total)), builder.gep(pc, [rows.index]))
