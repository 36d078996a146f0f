"""Sums and functions that have the same bits on every machine.

``@``, `numpy.vdot` and `numpy.linalg.norm` are computed by BLAS, which sums in an order that
depends on the processor. `numpy.cos` and `numpy.sin` have a code of their own for AVX-512.
"""

from __future__ import annotations

import math

import numpy as np

from optbench import Array


def dot(a: Array, b: Array) -> float:
    """Return the sum of the products of the elements of two arrays, summed in float64.

    Example:
        >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        11.0
    """
    return float(np.multiply(a, b, dtype=np.float64).sum())


def norm(a: Array) -> float:
    """Return the root of the sum of the squares of the elements, summed in float64.

    Example:
        >>> norm(np.array([[3.0, 4.0]]))
        5.0
    """
    return math.sqrt(np.square(a, dtype=np.float64).sum())


def cos(x: Array) -> Array:
    """Return the cosine of each element, in float64.

    Example:
        >>> cos(np.array([0.0])).tolist()
        [1.0]
    """
    return np.array([math.cos(value) for value in x.ravel()]).reshape(x.shape)


def sin(x: Array) -> Array:
    """Return the sine of each element, in float64.

    Example:
        >>> sin(np.array([0.0])).tolist()
        [0.0]
    """
    return np.array([math.sin(value) for value in x.ravel()]).reshape(x.shape)


def rounded(x: Array) -> Array:
    """Return numbers to eight decimals, which hides how the last digits of a product came about.

    Example:
        >>> rounded(np.array([1 / 3])).tolist()
        [0.33333333]
    """
    return np.round(x, 8)
