"""What can be made again is kept in the cache folder, whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from optbench.data.cache import kept_arrays


def test_arrays_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time they come from the file."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    made = (np.arange(3), np.ones((2, 2)))
    assert kept_arrays("in/a", lambda: made) is not None
    again = kept_arrays("in/a", lambda: pytest.fail("made twice"))
    assert [array.tolist() for array in again] == [array.tolist() for array in made]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a.npz"]


def test_a_full_disk_is_no_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The arrays are there all the same."""

    def full(file: IO[bytes], *_: Any) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(np, "savez", full)
    assert [array.tolist() for array in kept_arrays("a", lambda: [np.arange(2)])] == [[0, 1]]
    assert list(tmp_path.iterdir()) == []
