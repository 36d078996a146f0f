"""Cache folder for reproducible files: compiled Rules, datasets, downloads, search points."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import platformdirs

from optbench.contracts import Array
from optbench.support.files import atomic_path


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
        make: Function that computes the arrays. Called if the file is missing or fails its
            checksums.

    Returns:
        The arrays, in the order in which `make` returns them.
    """
    path = cache_folder() / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return tuple(kept[f"arr_{i}"] for i in range(len(kept.files)))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        arrays = tuple(make())
    with contextlib.suppress(OSError):  # a read-only cache is not an error
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path, concurrent=True) as partial, partial.open("wb") as target:
            np.savez(target, *arrays)
    return arrays
