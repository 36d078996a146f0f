"""Keeps runs in one SQLite file, each under its content key. Only the driver writes.

A run is committed within `COMMIT_SECONDS`, so a killed driver loses almost nothing. Several drivers
may share a file: the first result of a run is stored, later ones are ignored.

All statements on an open store are in this file, which is therefore longer than others.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from optbench.errors import StoreError
from optbench.records import RunResult, Status
from optbench.records.packing import UNREADABLE, pack_run
from optbench.records.stored_curves import batches
from optbench.store.checksums import checksum
from optbench.store.database import open_database, store_errors, transaction
from optbench.store.reader import KEYS_AT_ONCE, Reader
from optbench.store.rows import (
    DAMAGED_RUNS,
    INSERT_RUN,
    RowReader,
    marks,
    packed_row,
    row_to_insert,
)

COMMIT_SECONDS = 0.5
"""Longest time that a finished run waits to be committed."""

_log = logging.getLogger(__name__)
_environments = msgspec.json.Decoder(dict[str, Any])


class Conflict(NamedTuple):
    """A run with different results in two stores: its key, and its spec as JSON."""

    key: str
    spec: bytes


class Store:
    """An open store; a context manager that commits what is pending when it closes.

    Args:
        path: The file, usually ``runs.sqlite`` in the folder of a study.
        create: Whether to create a new store if there is no file.

    Raises:
        StoreError: The file is not a store, is damaged, was written by a newer optbench, or cannot
            be opened; it is left as it is.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.session: int | None = None
        self._pending: list[tuple[object, ...]] = []
        self._committed = time.monotonic()
        with store_errors(path):
            self._db, schema = open_database(path, create=create)
        self._rows = RowReader(path, schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is pending and close the file."""
        try:
            self.flush()
        finally:
            self._db.close()

    # -- runs ---------------------------------------------------------------------------------

    def put(self, result: RunResult) -> None:
        """Store a result. A result of the same run that is already stored stays, unless it failed.

        Args:
            result: The result; its parameters are not stored.
        """
        self._pending.append(packed_row(pack_run(result), self.session))
        self.tick()

    def tick(self) -> None:
        """Commit what has been pending for `COMMIT_SECONDS`; to be called regularly."""
        if self._pending and time.monotonic() - self._committed >= COMMIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit everything pending.

        Raises:
            StoreError: The disk is full or the file cannot be written. Committed runs are safe, and
                pending ones can be flushed again.
        """
        if self._pending:
            with self._transaction() as db:
                db.executemany(INSERT_RUN, self._pending)
            self._pending.clear()
        self._committed = time.monotonic()

    def keys(self, prefix: str = "", failed: bool = True) -> set[str]:
        """Return the keys of the stored runs.

        Args:
            prefix: First characters of the keys.
            failed: Whether to include failed runs.
        """
        self.flush()
        query = "SELECT key FROM runs WHERE substr(key, 1, ?) = ?"
        arguments: list[object] = [len(prefix), prefix]
        if not failed:
            query, arguments = query + " AND status <> ?", [*arguments, Status.FAILED.value]
        return {key for (key,) in self._select(query, arguments)}

    def results(self, keys: Iterable[str] | None = None) -> Iterator[RunResult]:
        """Yield results in no particular order.

        A damaged run is left out, with a warning that names it.

        Args:
            keys: Keys of the runs, all runs if None; unknown keys are left out.
        """
        for row in self._select_runs(keys):
            result = self._rows.result(row)
            if result is not None:
                yield result

    def lazy_results(
        self, keys: Iterable[str], lazy_specs: Container[str] = ()
    ) -> Iterator[tuple[str, RunResult]]:
        """Yield keys and results that read their curves at each use, also from a closed store.

        A study of 100,000 runs takes about 150 MB this way, and 700 MB with its curves. A damaged
        run is left out, with a warning that names it.

        Args:
            keys: Keys of the runs; unknown keys are left out.
            lazy_specs: Keys of the runs whose spec is read, and checked, at each use as well.
                Everything else is checked here.
        """
        reader = Reader(self.path)
        for row in self._select_runs(keys):
            result = self._rows.result(row, reader, read_spec=row[0] not in lazy_specs)
            if result is not None:
                yield row[0], result

    def remove_damaged(self) -> int:
        """Remove the runs whose checksum does not match, so that they are trained again.

        Returns:
            Number of runs removed; a warning names each.
        """
        self.flush()
        rows = list(self._select(f"SELECT rowid, key {DAMAGED_RUNS}"))
        for _, key in rows:
            self._rows.warn(f"{self.path}: run {key} is damaged and was removed")
        if rows:
            with self._transaction() as db:
                db.executemany("DELETE FROM runs WHERE rowid = ?", [row[:1] for row in rows])
        return len(rows)

    def count(self) -> int:
        """Return the number of stored runs."""
        self.flush()
        return int(next(self._select("SELECT count(*) FROM runs"))[0])

    def merge(self, other: Store) -> int:
        """Add the runs of another store that this one lacks, and return their number.

        A damaged run is left out, with a warning that names it.
        """
        own_keys, added = self.keys(), 0
        for row in other._select_runs():
            if row[0] not in own_keys and other._rows.result(row) is not None:
                self._pending.append(row_to_insert(other._rows.values(row), self.session))
                added += 1
                if len(self._pending) >= KEYS_AT_ONCE:
                    self.flush()
        self.flush()
        return added

    def conflicts(self, other: Store) -> list[Conflict]:
        """Return the runs that both stores have with different numbers."""
        self.flush()
        other.flush()
        query = "SELECT key, params_hash || status, spec FROM runs"
        own_numbers = {key: numbers for key, numbers, _ in self._select(query)}
        return [
            Conflict(key, spec)
            for key, numbers, spec in other._select(query)
            if own_numbers.get(key, numbers) != numbers
        ]

    # -- sessions and studies -----------------------------------------------------------------

    def begin_session(self, command: str, environment: Mapping[str, Any]) -> None:
        """Record the command and the machine that write from now on."""
        text = msgspec.json.encode(environment).decode()
        with self._transaction() as db:
            inserted = db.execute(
                "INSERT INTO sessions (started, command, environment, checksum)"
                " VALUES (?, ?, ?, ?)",
                (time.time(), command, text, checksum(command, text)),
            )
        self.session = inserted.lastrowid  # once it is committed

    def save_study(self, record: bytes) -> None:
        """Store the record of a study, unless it equals the last one."""
        if not self.is_last_study(record):
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO studies (session, record, checksum) VALUES (?, ?, ?)",
                    (self.session, record, checksum(record)),
                )

    def is_last_study(self, record: bytes) -> bool:
        """Return whether this record was stored last, and is undamaged."""
        with contextlib.suppress(StoreError):
            return self.last_study() == record
        return False

    def last_study(self) -> bytes | None:
        """Return the record that was stored last; None if there is none.

        Raises:
            StoreError: The record is damaged.
        """
        query = f"SELECT record, {self._rows.checksum} FROM studies ORDER BY id DESC LIMIT 1"
        row = self._first(query)
        if row and (not isinstance(row[0], bytes) or not self._rows.is_sound(row)):
            raise StoreError(
                f"{self.path}: the study in it is damaged; run its command again to restore it"
            )
        return row[0] if row else None

    def last_session(self) -> tuple[str, dict[str, Any]] | None:
        """Return command and environment of the last session that trained, or else the last one.

        None if there is none, or, with a warning, if it is damaged.
        """
        query = f"SELECT command, environment, {self._rows.checksum} FROM sessions "
        row = self._first(  # usually the last session stored the last run, which is quick to see
            f"{query} WHERE id = (SELECT max(id) FROM sessions)"
            " AND id = (SELECT session FROM runs ORDER BY rowid DESC LIMIT 1)"
        ) or self._first(f"{query} ORDER BY id IN (SELECT session FROM runs) DESC, id DESC LIMIT 1")
        if row is None:
            return None
        with contextlib.suppress(*UNREADABLE):
            if self._rows.is_sound(row):
                return str(row[0]), _environments.decode(row[1])
        _log.warning("%s: the command and the environment in it are damaged", self.path)
        return None

    # -- private ------------------------------------------------------------------------------

    def _select_runs(self, keys: Iterable[str] | None = None) -> Iterator[tuple[Any, ...]]:
        self.flush()
        query = self._rows.select_runs
        if keys is None:
            yield from self._select(query)
            return
        unique = dict.fromkeys(keys)
        if 2 * len(unique) > self.count():  # reading most runs is fastest in the order of the file
            yield from (row for row in self._select(query) if row[0] in unique)
            return
        for batch in batches(list(unique), KEYS_AT_ONCE):
            yield from self._select(f"{query} WHERE key IN {marks(batch)}", batch)

    def _select(self, query: str, arguments: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        with store_errors(self.path):
            yield from self._db.execute(query, tuple(arguments))

    def _first(self, query: str) -> tuple[Any, ...] | None:
        return next(self._select(query), None)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with store_errors(self.path), transaction(self._db):
            yield self._db
