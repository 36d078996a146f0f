"""Buffers of the compiled loop, aligned to the lines of the cache."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from optbench.contracts import Array

LINE_BYTES = 64
"""Size of a cache line, and of the widest vector."""
_PAGE_BYTES = 4096
_SHIFT_BYTES = 512


def aligned_rows(rows: int, numbers: int, dtype: str) -> Array:
    """Return zeros of shape (rows, at least `numbers`); each row begins at a cache line.

    A vector that lies across two lines takes twice as long to load or store. And a processor takes
    a load for one of what was just stored if their addresses differ by a multiple of a page, so
    rows begin at different places in their pages.

    Example:
        >>> [row.ctypes.data % 64 for row in aligned_rows(3, 5, "float32")]
        [0, 0, 0]
    """
    itemsize = np.dtype(dtype).itemsize
    size = _shifted(numbers * itemsize)
    return _aligned_bytes(rows * size).view(dtype).reshape(rows, size // itemsize)


def aligned_parts(lengths: Sequence[int], dtype: str) -> list[Array]:
    """Return zeros of these lengths, in one block of memory and placed like `aligned_rows`.

    Example:
        >>> [part.size for part in aligned_parts([3, 5], "float32")]
        [3, 5]
    """
    sizes = [length * np.dtype(dtype).itemsize for length in lengths]
    ends = list(accumulate(map(_shifted, sizes)))
    block = _aligned_bytes(ends[-1])
    starts = zip([0, *ends], sizes, strict=False)
    return [block[start : start + size].view(dtype) for start, size in starts]


def _shifted(size: int) -> int:
    """Return at least this number of bytes, after which another place in a page comes next."""
    size += LINE_BYTES
    return size + (_SHIFT_BYTES - size) % _PAGE_BYTES


def _aligned_bytes(size: int) -> Array:
    raw = np.zeros(size + LINE_BYTES, np.uint8)
    begin = -raw.__array_interface__["data"][0] % LINE_BYTES
    return raw[begin : begin + size]
