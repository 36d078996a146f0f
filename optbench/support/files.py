"""Files that appear complete or not at all, in a folder that others may write to as well."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def whole(path: Path, *, alone: bool = True) -> Iterator[Path]:
    """Where to write what is to appear at `path`; on an error nothing is left behind.

    Args:
        path: of the file.
        alone: False where others may write the same file at this time; the last one wins.

    Raises:
        OSError: the disk is full or the folder cannot be written; it names `path`.
    """
    partial = path.with_name(f".{path.name}.part" if alone else f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(path)
    except BaseException as cause:
        partial.unlink(missing_ok=True)
        if isinstance(cause, OSError) and cause.filename in (None, partial, str(partial)):
            cause.filename = str(path)
            del cause.filename2  # where it was to be moved to
        raise


def write_text(path: Path, text: str | bytes, *, alone: bool = True) -> None:
    """Write a file that is there complete or not at all; see `whole`.

    Text is written as UTF-8; bytes of a path that are not UTF-8 are written as escape sequences.
    """
    with whole(path, alone=alone) as partial:
        partial.write_bytes(
            text.encode(errors="backslashreplace") if isinstance(text, str) else text
        )


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other driver writes to this folder, where the platform can lock one.

    The lock goes with the process, so a killed driver leaves none behind.

    Args:
        folder: it exists.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system that knows no locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info("another driver writes the report; waiting")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
