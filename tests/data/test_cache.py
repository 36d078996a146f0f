"""What can be made again is kept in the cache folder, whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from optbench.data.cache import _read, kept_arrays, mapped_arrays


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


def test_no_flipped_bit_changes_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the shape of an array or in the fields of the ZIP format; other names fail too."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    arrays = (np.arange(6.0).reshape(3, 2), np.arange(3))
    kept_arrays("a", lambda: arrays)
    intact = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(intact)
    assert kept_arrays("b", lambda: [np.ones(1)])[0].tolist() == [1.0]
    for bit in range(8 * len(intact)):
        damaged = bytearray(intact)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="damaged"):
            _read_bytes(tmp_path / "a.npz", damaged)


def _read_bytes(path: Path, content: bytes | bytearray) -> None:
    path.write_bytes(content)
    _read(path, "a")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="os.mkfifo is missing")
def test_a_fifo_in_the_cache_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would ever write into it."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    os.mkfifo(tmp_path / "a.npz")
    assert kept_arrays("a", lambda: [np.ones(1)])[0].tolist() == [1.0]
    assert (tmp_path / "a.npz").is_file()


def test_mapped_arrays_are_made_once_and_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read-only, equal in shape, type and content, and mapped from the file."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    made = [np.arange(6.0).reshape(3, 2), np.arange(3), np.zeros((0, 4), dtype=np.float32)]
    first = mapped_arrays("in/a", lambda: made)
    again = mapped_arrays("in/a", lambda: pytest.fail("made twice"))
    for arrays in (first, again):
        assert [array.tolist() for array in arrays] == [array.tolist() for array in made]
        assert [array.dtype for array in arrays] == [array.dtype for array in made]
        assert not any(array.flags.writeable for array in arrays)
    assert isinstance(first[0].base, np.memmap)


def test_mapped_arrays_without_a_cache_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the place of the folder is no error."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").write_bytes(b"")
    (array,) = mapped_arrays("a", lambda: [np.arange(3)])
    assert array.tolist() == [0, 1, 2]
    assert not array.flags.writeable


def test_no_flipped_bit_changes_a_mapped_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file is made again."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    mapped_arrays("a", lambda: [np.arange(4)])
    intact = (tmp_path / "a.arrays").read_bytes()
    for bit in range(0, 8 * len(intact), 7):
        damaged = bytearray(intact)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.arrays").write_bytes(damaged)
        assert mapped_arrays("a", lambda: [np.arange(4)])[0].tolist() == [0, 1, 2, 3]
        assert (tmp_path / "a.arrays").read_bytes() == intact
