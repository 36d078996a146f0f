"""The folder for what can be made again: compiled Rules, loaded datasets, downloads."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """``OPTBENCH_CACHE``, or the user's cache folder. It may not exist, or not be writable."""
    chosen = os.environ.get("OPTBENCH_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("optbench"))
