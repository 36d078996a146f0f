"""Folders of studies, and the stores in them."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from optbench.errors import ConfigError
from optbench.store import Store

STORE_NAME = "runs.sqlite"
"""File name of the store in a study's folder."""


def open_store(folder: str | Path) -> Store:
    """Open the store of the study in a folder.

    Raises:
        ConfigError: The folder does not contain a study.
        StoreError: Its store cannot be read.
    """
    path = Path(folder) / STORE_NAME
    if not path.is_file():
        raise ConfigError(f"{folder} has no study: no {STORE_NAME} in it")
    return Store(path, create=False)


def writable_folder(folder: str | Path) -> Path:
    """Return the path of a writable folder; it is created if it is missing.

    Raises:
        ConfigError: The folder cannot be created or written to; the message gives the reason.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another driver may try at the same time
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise ConfigError(
            f"cannot write to '{path}': {reason}; choose another folder (--out)"
        ) from cause
    return path


class TemporaryFolder:
    """A folder that is removed when this object is deleted, or when the process ends.

    Unlike `tempfile.TemporaryDirectory`, it does not warn when it is garbage-collected.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="optbench-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
