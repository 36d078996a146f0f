"""Reads stored runs again, when somebody asks for what was left in the store."""

from __future__ import annotations

import functools
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from optbench.errors import StoreError
from optbench.records import RunSpec
from optbench.records.stored_curves import batches
from optbench.store.database import clear_errors, connect
from optbench.store.rows import damaged, spec_of

CHUNK = 500
"""Keys in one SELECT; SQLite allows 999 parameters at least."""
CURVES_AT_HAND = 64
"""Curves that are kept when runs are read without theirs: those of a panel of a plot."""


def marks(values: Sequence[object]) -> str:
    """What stands for these values after ``IN``."""
    return f"({', '.join('?' * len(values))})"


class Reader:
    """Reads runs of a store in any thread, also once the store is closed.

    It opens the file when it is first asked, and closes it when nobody holds on to it.

    Raises:
        StoreError: from every method: a run is no longer there, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        opened: list[sqlite3.Connection] = []
        weakref.finalize(self, _close, opened)
        read = functools.partial(_read, self._path, threading.Lock(), opened)
        self._read = read
        # of a function that does not hold the reader: else only the collector would close the file
        self._curve: Callable[[str], bytes] = functools.lru_cache(CURVES_AT_HAND)(
            lambda key: read("curve", [key])[key]
        )

    def spec(self, key: str) -> RunSpec:
        """The spec of a run; checked."""
        found = self._read("spec", [key])
        try:
            return spec_of(key, found[key])
        except StoreError as cause:
            raise damaged(self._path, key, cause) from cause

    def curve(self, key: str) -> bytes:
        """The curve of a run, packed."""
        return self._curve(key)

    def curves(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The curves of runs by key, packed; in half the time for many."""
        found: dict[str, bytes] = {}
        for some in batches(list(keys), CHUNK):
            found |= self._read("curve", some)
        return found


def _read(
    path: Path,
    lock: threading.Lock,
    opened: list[sqlite3.Connection],
    column: str,
    keys: Sequence[str],
) -> dict[str, bytes]:
    """A column of bytes of some runs."""
    with lock, clear_errors(path):
        if not opened:
            opened.append(connect(path, check_same_thread=False))
        query = f"SELECT key, {column} FROM runs WHERE key IN {marks(keys)}"
        found = dict(opened[0].execute(query, tuple(keys)))
    for key in keys:
        if key not in found:
            raise StoreError(f"{path}: run {key} is no longer in it")
        if not isinstance(found[key], bytes):
            cause = StoreError(f"its {column} is {type(found[key]).__name__}")
            raise damaged(path, key, cause)
    return found


def _close(opened: list[sqlite3.Connection]) -> None:
    for db in opened:
        db.close()
