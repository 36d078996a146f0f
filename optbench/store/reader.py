"""Reads specs and curves that were left in the store."""

from __future__ import annotations

import functools
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from optbench.errors import StoreError
from optbench.records import RunSpec
from optbench.records.packing import unpack_spec
from optbench.records.stored_curves import batches
from optbench.store.database import connect, store_errors
from optbench.store.rows import damaged, marks

KEYS_AT_ONCE = 500
"""Keys in one SELECT; every SQLite allows 999 parameters."""
CACHED_CURVES = 64
"""Curves in the cache, as many as one panel of a plot shows."""


class Reader:
    """Reads runs of a store in any thread, also after the store was closed.

    The file is opened at the first read and closed when the last reference to the reader goes.

    Args:
        path: File of the store.

    Raises:
        StoreError: From every method: a run is no longer in the store, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        connections: list[sqlite3.Connection] = []
        weakref.finalize(self, _close, connections)
        read = functools.partial(_read, self._path, threading.Lock(), connections)
        self._read = read
        # caches a function that does not refer to the reader: with a cycle, only the garbage
        # collector would close the file
        self._curve: Callable[[str], bytes] = functools.lru_cache(CACHED_CURVES)(
            lambda key: read("curve", [key])[key]
        )

    def spec(self, key: str) -> RunSpec:
        """Return the spec of a run; it is checked against the key."""
        data = self._read("spec", [key])[key]
        try:
            return unpack_spec(data, key)
        except StoreError as cause:
            raise damaged(self._path, key, cause) from cause

    def curve(self, key: str) -> bytes:
        """Return the packed curve of a run."""
        return self._curve(key)

    def curves(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the packed curves of runs by key, in half the time that single reads take."""
        curves: dict[str, bytes] = {}
        for batch in batches(list(keys), KEYS_AT_ONCE):
            curves |= self._read("curve", batch)
        return curves


def _read(
    path: Path,
    lock: threading.Lock,
    connections: list[sqlite3.Connection],
    column: str,
    keys: Sequence[str],
) -> dict[str, bytes]:
    """Return a column of bytes of several runs, by key."""
    with lock, store_errors(path):
        if not connections:
            connections.append(connect(path, check_same_thread=False))
        query = f"SELECT key, {column} FROM runs WHERE key IN {marks(keys)}"
        values = dict(connections[0].execute(query, tuple(keys)))
    for key in keys:
        if key not in values:
            raise StoreError(f"{path}: run {key} is no longer in it")
        if not isinstance(values[key], bytes):
            cause = StoreError(f"its {column} is {type(values[key]).__name__}")
            raise damaged(path, key, cause)
    return values


def _close(connections: list[sqlite3.Connection]) -> None:
    for db in connections:
        db.close()
