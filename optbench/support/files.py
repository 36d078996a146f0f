"""Reads and writes files: inputs that could be anything, outputs that are complete or absent."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

_log = logging.getLogger(__name__)

MAX_INPUT_BYTES = 64 * 2**20
"""Largest file that is read whole, in bytes."""
LOCK_SECONDS = 300.0
"""Longest wait for another driver that writes to the same folder."""
LOCK_POLL_SECONDS = 0.1
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""Flag with which opening a FIFO does not wait for its other end; 0 where there are none."""


def read_file(path: Path, *, limit: int = MAX_INPUT_BYTES) -> bytes:
    """Return the content of a regular file.

    Anything else in its place is refused, because reading it could wait forever (a FIFO) or never
    end (``/dev/zero``).

    Args:
        path: The file, or a link to it.
        limit: Largest size in bytes.

    Raises:
        OSError: It is not a regular file, is too large, or cannot be read; the error names it.
    """
    check_regular(path, limit=limit)
    flags = os.O_RDONLY | _NO_WAIT | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:  # it is growing
        raise _too_large(path, limit)
    return content


def check_regular(path: Path, *, limit: int = MAX_INPUT_BYTES) -> None:
    """Check that a path is a regular file, or a link to one, of at most `limit` bytes.

    Raises:
        OSError: It is missing, is not a regular file, or is too large; the error names it.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if status.st_size > limit:
        raise _too_large(path, limit)


def _too_large(path: Path, limit: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than {limit / 2**20:g} MiB", str(path))


def open_output(path: Path) -> TextIO:
    """Open a file for writing text in UTF-8; a FIFO that nothing reads from is refused.

    Raises:
        OSError: The file cannot be opened; the error names it.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_WAIT
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as cause:
        if cause.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nothing reads from this FIFO", str(path)) from cause
        raise
    if _NO_WAIT:
        os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "w", newline="", encoding="utf-8")


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

    Raises:
        TimeoutError: Another process holds the lock for longer than `LOCK_SECONDS`.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        deadline = 0.0
        while not _try_lock(fcntl, handle):
            now = time.monotonic()
            if not deadline:
                deadline = now + LOCK_SECONDS
                _log.info("another driver writes to %s; waiting", folder)
            if now > deadline:
                raise TimeoutError(
                    errno.ETIMEDOUT,
                    f"another process has held its lock for {LOCK_SECONDS:g} seconds; end that "
                    "process, or choose another folder",
                    str(folder),
                )
            time.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _try_lock(fcntl: Any, handle: int) -> bool:
    """Lock an open folder; return False if another process holds the lock."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
