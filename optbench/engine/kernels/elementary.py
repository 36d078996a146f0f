"""exp and tanh that LLVM can vectorise, because libm's take one number per call.

exp(x) = 2^k (1 + p) with |r| <= ln(2)/2, x = k ln(2) + r and a polynomial p = exp(r) - 1. Errors
stay below a few units in the last place. The argument is clipped where the result would leave the
normal range, so exp(-1000) is a tiny normal number, not 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from optbench.engine.kernels.jit import OPTIONS, part
from optbench.engine.kernels.memory import choose, fma

_LOG2E = 1.4426950408889634


@intrinsic
def _power_of_two(_: Any, k: Any, like: Any) -> Any:
    """Return 2^k in the type of `like`, for an integer k (int32) in the range of its exponent."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        single = signature.return_type == types.float32
        bits = ir.IntType(32 if single else 64)
        bias, mantissa = (127, 23) if single else (1023, 52)
        exponent = args[0] if single else builder.sext(args[0], bits)
        shifted = builder.shl(builder.add(exponent, bits(bias)), bits(mantissa))
        return builder.bitcast(shifted, context.get_value_type(signature.return_type))

    return like(types.int32, like), generate


def _reduction(kind: Any, largest: float, ln2_high: float, ln2_low: float) -> Any:
    """Return a function reduce(x) -> (r, 2^k). ln(2) in two parts keeps r exact."""
    log2e, high, low, bound = kind(_LOG2E), kind(ln2_high), kind(ln2_low), kind(largest)
    zero = kind(0)

    @part
    def reduce(x):
        clipped = min(max(x, -bound), bound)
        k = np.rint(clipped * log2e)
        # NaN stays in r, because converting it to an integer is undefined.
        is_nan = np.isnan(x)
        exponent = np.int32(zero) if is_nan else np.int32(k)
        r = fma(-k, low, fma(-k, high, choose(is_nan, x, clipped)))
        return r, _power_of_two(exponent, x)

    return reduce


_reduce32 = _reduction(np.float32, 87.0, 0.693145751953125, 1.428606765330187e-06)
_reduce64 = _reduction(np.float64, 708.0, 0.6931471803691238, 1.9082149292705877e-10)

(A2, A3, A4, A5, A6, A7) = (np.float32(1 / math.factorial(i)) for i in range(2, 8))
(B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13) = (1 / math.factorial(i) for i in range(2, 14))


@part
def _expm1_32(r):
    high = fma(r, fma(r, fma(r, A7, A6), A5), A4)
    return fma(r * r, fma(r, fma(r, high, A3), A2), r)


@part
def _expm1_64(r):
    high = fma(r, fma(r, fma(r, fma(r, fma(r, B13, B12), B11), B10), B9), B8)
    low = fma(r, fma(r, fma(r, fma(r, fma(r, high, B7), B6), B5), B4), B3)
    return fma(r * r, fma(r, low, B2), r)


def vector_exp(x: float) -> float:
    """Return exp(x); compiled code uses the polynomial above."""
    return math.exp(x)


def vector_tanh(x: float) -> float:
    """Return tanh(x); compiled code computes expm1(2|x|) / (expm1(2|x|) + 2) with the sign of x."""
    return math.tanh(x)


@overload(vector_exp, jit_options=OPTIONS)  # type: ignore[arg-type]
def _vector_exp(x):
    reduce, expm1 = (_reduce32, _expm1_32) if x == types.float32 else (_reduce64, _expm1_64)

    def implementation(x):
        r, scale = reduce(x)
        return fma(scale, expm1(r), scale)

    return implementation


@overload(vector_tanh, jit_options=OPTIONS)  # type: ignore[arg-type]
def _vector_tanh(x):
    single = x == types.float32
    kind = np.float32 if single else np.float64
    reduce, expm1 = (_reduce32, _expm1_32) if single else (_reduce64, _expm1_64)
    zero, one, two, saturated = kind(0), kind(1), kind(2), kind(10 if single else 20)

    def implementation(x):
        size = abs(x)
        size = choose(size > saturated, saturated, size)
        r, scale = reduce(two * size)
        e = fma(scale, expm1(r), scale - one)
        ratio = e / (e + two)
        return choose(x >= zero, ratio, -ratio)

    return implementation
