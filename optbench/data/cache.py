"""The folder for what can be made again: compiled Rules, datasets, downloads, search points."""

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
    """``OPTBENCH_CACHE``, or the user's cache folder. It may not exist, or not be writable."""
    chosen = os.environ.get("OPTBENCH_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("optbench"))


def kept_arrays(name: str, make: Callable[[], Sequence[Array]]) -> tuple[Array, ...]:
    """Arrays from the cache folder, so that the library that makes them need not be imported.

    Args:
        name: of the file, with all that decides its content; a folder may be in it.
        make: makes them where the file is missing or damaged (it holds checksums).
    """
    path = cache_folder() / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return tuple(kept[f"arr_{i}"] for i in range(len(kept.files)))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        arrays = tuple(make())
    with contextlib.suppress(OSError):  # a cache that cannot be written is no error
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path, concurrent=True) as partial, partial.open("wb") as target:
            np.savez(target, *arrays)
    return arrays
