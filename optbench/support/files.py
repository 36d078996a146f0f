"""Files that appear complete or not at all, in a folder that other processes may write to."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def atomic_path(path: Path, *, concurrent: bool = False) -> Iterator[Path]:
    """Write to a temporary file that replaces `path` on success; an error leaves nothing behind.

    Args:
        path: The file.
        concurrent: Whether other processes may write the same file now; the last one wins.

    Yields:
        Path of the temporary file.

    Raises:
        OSError: The disk is full or the folder cannot be written to; the error names `path`.
    """
    process = f".{os.getpid()}" if concurrent else ""
    partial = path.with_name(f".{path.name}{process}.part")
    try:
        yield partial
        partial.replace(path)
    except BaseException as cause:
        partial.unlink(missing_ok=True)
        if isinstance(cause, OSError) and cause.filename in (None, partial, str(partial)):
            cause.filename = str(path)
            del cause.filename2  # the target of the move
        raise


def write_text(path: Path, text: str | bytes, *, concurrent: bool = False) -> None:
    """Write a file that appears complete or not at all; see `atomic_path`.

    Text is written as UTF-8; bytes of a path that are not UTF-8 are written as escape sequences.
    """
    with atomic_path(path, concurrent=concurrent) as partial:
        partial.write_bytes(
            text.encode(errors="backslashreplace") if isinstance(text, str) else text
        )


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Wait until no other driver writes to the folder, if the platform has locks.

    The lock ends with the process, so a killed driver leaves none behind.

    Args:
        folder: An existing folder.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info("another driver writes the report; waiting")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
