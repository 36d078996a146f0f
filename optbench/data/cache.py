"""Cache folder for reproducible files: compiled Rules, datasets, downloads, search points."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from optbench.contracts import Array
from optbench.support.files import atomic_path

_DIGEST_BYTES = 32


def cache_folder() -> Path:
    """Return ``OPTBENCH_CACHE``, or the user's cache folder by default.

    The folder may be missing or read-only.
    """
    chosen = os.environ.get("OPTBENCH_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("optbench"))


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
    with contextlib.suppress(OSError):  # a read-only cache is not an error
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path, concurrent=True) as partial, partial.open("w+b") as target:
            target.write(bytes(_DIGEST_BYTES))
            np.savez(target, *arrays)
            digest = _digest(target, name)
            target.seek(0)
            target.write(digest)
    return arrays


def _read(path: Path, name: str) -> tuple[Array, ...]:
    """Return the arrays of a file: a digest, and then what `numpy.savez` wrote.

    The checksums of the ZIP format do not cover its own fields, and are not checked for an array
    that is read in part because a bit of its shape is flipped.

    Raises:
        ValueError: The digest does not match.
    """
    if not path.is_file():  # opening a FIFO, for example, would never end
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        if file.read(_DIGEST_BYTES) != _digest(file, name):
            raise ValueError(f"{path} is damaged")
        file.seek(_DIGEST_BYTES)
        with np.load(file, allow_pickle=False) as kept:
            return tuple(kept[f"arr_{i}"] for i in range(len(kept.files)))


def _digest(file: Any, name: str) -> bytes:
    """Return a digest of the name and of everything after the place of the digest."""
    file.seek(_DIGEST_BYTES)
    return hashlib.file_digest(file, lambda: hashlib.sha256(name.encode() + b"\0")).digest()
