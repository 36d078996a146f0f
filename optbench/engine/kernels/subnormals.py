"""Subnormal numbers become 0 in the arithmetic of a thread, whoever computes: NumPy, torch, BLAS.

A processor takes a hundred times longer for a product with a subnormal number than for others, and
the averages of a gradient that has become 0 decay into them.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from optbench.engine.kernels.jit import jit

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
MACHINE = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
FLUSH = {
    "x86_64": 1 << 15 | 1 << 6,  # MXCSR: results (FTZ) and operands (DAZ)
    "aarch64": 1 << 24,  # FPCR: FZ, both
}.get(MACHINE, 0)
"""Bits of the control register; 0 on processors where subnormal numbers stay."""


def _call(builder: Any, name: str, result: Any, *args: Any) -> Any:
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


@intrinsic
def _control(_: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if MACHINE == "aarch64":
            return _call(builder, "llvm.aarch64.get.fpcr", I64)
        if MACHINE != "x86_64":
            return I64(0)
        place = cgutils.alloca_once(builder, I32)
        address = builder.bitcast(place, I8.as_pointer())
        _call(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), address)
        return builder.zext(builder.load(place), I64)

    return types.int64(), generate


@intrinsic
def _set_control(_: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if MACHINE == "aarch64":
            _call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), args[0])
        elif MACHINE == "x86_64":
            place = cgutils.alloca_once_value(builder, builder.trunc(args[0], I32))
            address = builder.bitcast(place, I8.as_pointer())
            _call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), address)
        return context.get_dummy_value()

    return types.void(types.int64), generate


@jit
def _read() -> int:
    return _control()


@jit
def _write(word: int) -> None:
    _set_control(word)


@contextlib.contextmanager
def flushed_subnormals() -> Iterator[None]:
    """Take subnormal numbers for 0 in this thread, until the block ends.

    Example:
        >>> import numpy as np
        >>> tiny = np.array([1e-39], dtype=np.float32)
        >>> with flushed_subnormals():
        ...     halved = tiny * np.float32(0.5)
        >>> float(halved[0]), float((tiny * np.float32(0.5))[0]) > 0
        (0.0, True)
    """
    before = _read()
    _write(before | FLUSH)
    try:
        yield
    finally:
        _write(before)
