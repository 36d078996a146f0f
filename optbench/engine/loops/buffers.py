"""Buffers of the compiled loop, aligned to the lines of the cache."""

from __future__ import annotations

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
    size = numbers * itemsize + LINE_BYTES
    size += (_SHIFT_BYTES - size) % _PAGE_BYTES if rows > 1 else -size % LINE_BYTES
    raw = np.zeros(rows * size + LINE_BYTES, np.uint8)
    begin = -raw.ctypes.data % LINE_BYTES
    return raw[begin : begin + rows * size].view(dtype).reshape(rows, size // itemsize)
