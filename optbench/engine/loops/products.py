"""Products of matrices for Steppers, with the same bits on every machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from optbench.contracts import Array

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def matmul(a: Array, b: Array) -> Array:
    """Return ``a @ b``, computed by the matrix product of the training loops.

    A BLAS library takes another code on another processor, which sums in another order. Here, every
    element is one sum in the order of the columns of `a`, with fused multiply-adds.

    Args:
        a: Shape (m, k).
        b: Shape (k, n), of the same dtype. Other shapes, and dtypes other than float32 and float64,
            are left to `numpy.matmul`.

    Returns:
        Shape (m, n).

    Example:
        >>> matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])).tolist()
        [[11.0]]
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        return np.asarray(np.matmul(a, b))
    if a.dtype != b.dtype or a.dtype not in _DTYPES:
        return np.asarray(np.matmul(a, b))
    (m, k), n = a.shape, b.shape[1]
    result = np.empty((m, n), a.dtype)
    left, row, column = _flat(a)
    right = np.ascontiguousarray(b).reshape(-1)
    _product_code(a.dtype)(m, n, k, left, row, column, _writable(right), result.reshape(-1))
    return result


def _flat(a: Array) -> tuple[Array, int, int]:
    """Return the numbers of a matrix, flat, and its strides; of a transposed one without a copy."""
    if a.flags.f_contiguous and not a.flags.c_contiguous:
        return _writable(a.T.reshape(-1)), 1, a.shape[0]
    return _writable(np.ascontiguousarray(a).reshape(-1)), a.shape[1], 1


def _writable(flat: Array) -> Array:
    """Return an array that may be written, because read-only ones are another type for Numba."""
    return flat if flat.flags.writeable else flat.copy()


@functools.cache
def _product_code(dtype: np.dtype[Any]) -> Callable[..., Any]:
    """Compile or load the product."""
    from optbench.engine.kernels.jit import compile_entry
    from optbench.engine.kernels.matmul import product_once

    flat = np.empty(1, dtype)
    return compile_entry(product_once, (1, 1, 1, flat, 1, 1, flat, flat))
