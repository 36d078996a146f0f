"""Buffers begin at lines of the cache, and not all at the same place in a page."""

from __future__ import annotations

import numpy as np
import pytest

from optbench.engine.loops.buffers import aligned_parts, aligned_rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("numbers", [0, 1, 15, 16, 17, 1000, 1008, 3466])
def test_rows_begin_at_lines(numbers: int, dtype: str) -> None:
    """Every row has room for its numbers, all 0, and begins at a line; two at different places."""
    rows = aligned_rows(5, numbers, dtype)
    assert rows.dtype == dtype
    assert rows.shape[1] >= numbers
    assert rows.flags.c_contiguous
    assert not rows.any()
    addresses = [row.ctypes.data for row in rows]
    assert {address % 64 for address in addresses} == {0}
    assert len({address % 4096 for address in addresses}) == 5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parts_begin_at_lines(dtype: str) -> None:
    """Every part has its length, is all 0 and its own, and begins at a line of another place."""
    lengths = [1000, 1, 8192, 8192, 16]
    parts = aligned_parts(lengths, dtype)
    assert [part.shape for part in parts] == [(length,) for length in lengths]
    assert not any(part.any() for part in parts)
    for index, part in enumerate(parts):
        assert part.dtype == dtype
        part[:] = index
    assert [set(part.tolist()) for part in parts] == [{index} for index in range(5)]
    addresses = [part.ctypes.data for part in parts]
    assert {address % 64 for address in addresses} == {0}
    assert len({address % 4096 for address in addresses}) == 5


def test_rows_share_one_block() -> None:
    """Rows from the third on are one contiguous matrix, as the slots of a Rule must be."""
    rows = aligned_rows(4, 10, "float64")
    assert rows[2:].flags.c_contiguous
    assert np.shares_memory(rows[2:], rows)
