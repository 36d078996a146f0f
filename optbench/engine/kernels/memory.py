"""Instructions that Python has no words for.

Reading and writing array elements without negative indices: compiled code checks for every ``a[i]``
whether i < 0, unless i comes straight from a ``range``. The check keeps LLVM from vectorising a
loop over ``a[start + i]``. And a choice without a branch, a constant without a wider type, and a
multiply-add.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


@intrinsic
def load(_: Any, array: Any, index: Any) -> Any:
    """Return array[index] of a flat contiguous array, for 0 <= index < size."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], *args))

    return array.dtype(array, types.int64), generate


@intrinsic
def store(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Set array[index] = value in a flat contiguous array, for 0 <= index < size."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, signature.args[0], *args[:2]))
        return context.get_dummy_value()

    return types.void(array, types.int64, array.dtype), generate


@intrinsic
def choose(_: Any, condition: Any, yes: Any, no: Any) -> Any:
    """Return ``yes if condition else no`` with both sides computed: a select, never a branch."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return yes(types.boolean, yes, yes), generate


@intrinsic
def number(_: Any, value: Any, like: Any) -> Any:
    """Return `value` in the type of `like`, so that a constant keeps float32 from being widened."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], value, like)

    return like(value, like), generate


@intrinsic
def fma(_: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, rounded once. A sum of products without it is rounded twice."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return a(a, a, a), generate


@intrinsic
def writable(_: Any, array: Any) -> Any:
    """Return a read-only array in the type of a writable one, so that both share compiled code."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return array.copy(readonly=False)(array), generate
