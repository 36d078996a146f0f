"""Cache folder for reproducible files: compiled Rules, datasets, downloads, search points."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import platformdirs

from optbench.contracts import Array
from optbench.support.files import atomic_path

_DIGEST_BYTES = 32
_ALIGNMENT = 64
"""Bytes at whose multiples the header of an array starts; NumPy aligns its data to the same."""


def cache_folder() -> Path:
    """Return ``OPTBENCH_CACHE``, or the user's cache folder by default.

    The folder may be missing or read-only.
    """
    chosen = os.environ.get("OPTBENCH_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("optbench"))


def describe_unwritable(folder: Path) -> str:
    """Return why nothing can be kept in a folder, or '' if something can; it may be missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as cause:
        return cause.strerror or type(cause).__name__


def kept_arrays(name: str, make: Callable[[], Sequence[Array]]) -> tuple[Array, ...]:
    """Return arrays from the cache, so that the library that computes them is not imported.

    Args:
        name: File name without its suffix, optionally with a folder. It must identify everything
            that the content depends on.
        make: Function that computes the arrays. Called if the file is missing or
            damaged.

    Returns:
        The arrays, in the order in which `make` returns them.
    """
    path = cache_folder() / f"{name}.npz"
    with contextlib.suppress(OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return _read(path, name)
    arrays = tuple(make())
    with contextlib.suppress(OSError), _written(path, name) as target:
        np.savez(target, *arrays)
    return arrays


def mapped_arrays(name: str, make: Callable[[], Sequence[Array]]) -> tuple[Array, ...]:
    """Return read-only arrays that all processes of this machine share, for large data.

    They are kept in a file in the cache, which is mapped into memory.

    Args:
        name: As for `kept_arrays`.
        make: Function that computes the arrays. Called if the file is missing or damaged.

    Returns:
        The arrays, in the order in which `make` returns them; in memory if the cache cannot be
        written.
    """
    path = cache_folder() / f"{name}.arrays"
    with contextlib.suppress(OSError, ValueError, EOFError):
        return _map(path, name)
    arrays = tuple(np.ascontiguousarray(array) for array in make())
    with contextlib.suppress(OSError, ValueError):
        with _written(path, name) as target:
            for array in arrays:
                target.write(bytes(-target.tell() % _ALIGNMENT))
                np.lib.format.write_array(target, array, allow_pickle=False)
        return _map(path, name)
    for array in arrays:
        array.setflags(write=False)
    return arrays


def _map(path: Path, name: str) -> tuple[Array, ...]:
    """Return the arrays of a file as `mapped_arrays` writes it: a digest, then aligned arrays.

    Raises:
        ValueError: The digest does not match.
    """
    arrays: list[Array] = []
    with _verified(path, name) as file:
        end, place = file.seek(0, os.SEEK_END), _DIGEST_BYTES
        while place < end:
            file.seek(place + -place % _ALIGNMENT)
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"{path} has a header of version {version}")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            assert not fortran  # written contiguous in C's order
            start = file.tell()
            array = np.memmap(file, dtype=dtype, mode="r", offset=start, shape=shape)
            arrays.append(array.view(np.ndarray))
            place = start + array.nbytes
    return tuple(arrays)


def _read(path: Path, name: str) -> tuple[Array, ...]:
    """Return the arrays of a file: a digest, and then what `numpy.savez` wrote.

    The checksums of the ZIP format do not cover its own fields, and are not checked for an array
    that is read in part because a bit of its shape is flipped.

    Raises:
        ValueError: The digest does not match.
    """
    with _verified(path, name) as file, np.load(file, allow_pickle=False) as kept:
        return tuple(kept[f"arr_{i}"] for i in range(len(kept.files)))


@contextlib.contextmanager
def _written(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Yield a file to write behind the place of its digest, which is filled in at the end.

    Raises:
        OSError: The file cannot be written; a read-only cache is not an error of the caller.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path, concurrent=True) as partial, partial.open("w+b") as target:
        target.write(bytes(_DIGEST_BYTES))
        yield target
        digest = _digest(target, name)
        target.seek(0)
        target.write(digest)


@contextlib.contextmanager
def _verified(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Yield a file to read behind its digest.

    Raises:
        OSError: There is no such file.
        ValueError: The digest does not match.
    """
    if not path.is_file():  # opening a FIFO, for example, would never end
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        if file.read(_DIGEST_BYTES) != _digest(file, name):
            raise ValueError(f"{path} is damaged")
        file.seek(_DIGEST_BYTES)
        yield file


def _digest(file: Any, name: str) -> bytes:
    """Return a digest of the name and of everything after the place of the digest."""
    file.seek(_DIGEST_BYTES)
    return hashlib.file_digest(file, lambda: hashlib.sha256(name.encode() + b"\0")).digest()
