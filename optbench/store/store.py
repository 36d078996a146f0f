"""Keeps runs in one SQLite file, each under its content key. Only the driver writes.

A run is committed within `COMMIT_SECONDS`, so that a killed driver loses next to nothing. Several
drivers may share a file: whoever is first stores a run, the other's is ignored.

SQL stays in this folder, and most of it in this file, which is longer than others for it.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from optbench.errors import StoreError
from optbench.records import RunResult, Status
from optbench.records.packing import UNREADABLE, pack_run, unpack_run
from optbench.records.stored_curves import batches
from optbench.store.database import (
    SCHEMA,
    check_header,
    checksum,
    clear_errors,
    connect,
    create_store,
    is_writable,
)
from optbench.store.reader import KEYS_AT_ONCE, Reader
from optbench.store.rows import (
    ADD_CHECKSUMS,
    DAMAGED_RUNS,
    INSERT_RUN,
    SELECT_RUNS,
    UNVERIFIED_RUNS,
    damaged,
    marks,
    packed_run,
    row_of,
    stored_result,
)

COMMIT_SECONDS = 0.5
"""How long a finished run may wait before it is committed."""
MOST_WARNINGS = 5
"""Damaged runs that are named one by one."""


def _add_checksums(db: sqlite3.Connection) -> None:
    for statement in ADD_CHECKSUMS:
        db.execute(statement)


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _add_checksums}
"""What lifts a store from this version to the next; run in one transaction."""

_log = logging.getLogger(__name__)
_environments = msgspec.json.Decoder(dict[str, Any])


class Conflict(NamedTuple):
    """One run with different results in two stores."""

    key: str
    spec: bytes


class Store:
    """An open store; a context manager that commits what is pending when it closes.

    Args:
        path: the file, usually ``runs.sqlite`` in a study's folder.
        create: make a new store when there is none.

    Raises:
        StoreError: the file is not a store, is damaged, is of a newer optbench, or cannot be
            opened; it is left as it is.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.session: int | None = None
        self._pending: list[tuple[object, ...]] = []
        self._committed = time.monotonic()
        self._warnings = 0
        with clear_errors(path):
            if create and not path.exists():
                create_store(path)
            check_header(path)
            self._db = connect(path)
            self._select_runs = SELECT_RUNS
            self._check_version()

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
        """Keep a result; one that is there already stays as it is, unless it had failed."""
        self._pending.append(row_of(pack_run(result), self.session))
        self.tick()

    def tick(self) -> None:
        """Commit what has been pending for long enough; to be called now and then."""
        if self._pending and time.monotonic() - self._committed >= COMMIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit everything pending.

        Raises:
            StoreError: the disk is full or the file cannot be written; what was committed stays,
                and what is pending can be flushed again.
        """
        if self._pending:
            with self._transaction() as db:
                db.executemany(INSERT_RUN, self._pending)
            self._pending.clear()
        self._committed = time.monotonic()

    def keys(self, prefix: str = "", failed: bool = True) -> set[str]:
        """Keys of the runs stored.

        Args:
            prefix: what they begin with.
            failed: False to leave out those that failed.
        """
        self.flush()
        query = "SELECT key FROM runs WHERE substr(key, 1, ?) = ?"
        arguments: list[object] = [len(prefix), prefix]
        if not failed:
            query, arguments = query + " AND status <> ?", [*arguments, Status.FAILED.value]
        return {key for (key,) in self._select(query, arguments)}

    def results(self, keys: Iterable[str] | None = None) -> Iterator[RunResult]:
        """Results by key (all of them if None), in no order; unknown keys are left out.

        A damaged run is left out too, with a warning that names it.
        """
        for row in self._rows(keys):
            result = self._read_row(row)
            if result is not None:
                yield result

    def remove_damaged(self) -> int:
        """Remove runs whose checksum does not match, so that they are trained again.

        Returns:
            How many there were; a warning names each.
        """
        self.flush()
        rows = list(self._select(f"SELECT rowid, key {DAMAGED_RUNS}"))
        for _, key in rows:
            self._warn(f"{self.path}: run {key} is damaged and was removed")
        if rows:
            with self._transaction() as db:
                db.executemany("DELETE FROM runs WHERE rowid = ?", [row[:1] for row in rows])
        return len(rows)

    def outcomes(
        self, keys: Iterable[str], late: Container[str] = ()
    ) -> Iterator[tuple[str, RunResult]]:
        """Keys and results that read their curves from the file when asked, also once it is closed.

        A study of 100,000 runs takes about 150 MB so, and 700 MB with its curves.

        Args:
            keys: of the runs wanted; unknown ones are left out.
            late: runs of which the spec too is read when somebody asks for it, and refused then if
                it is damaged or that of another run. All else is checked here.

        A damaged run is left out, with a warning that names it.
        """
        reader = Reader(self.path)
        for row in self._rows(keys):
            result = self._read_row(row, reader, row[0] in late)
            if result is not None:
                yield row[0], result

    def count(self) -> int:
        """Number of runs stored."""
        self.flush()
        return int(next(self._select("SELECT count(*) FROM runs"))[0])

    def merge(self, other: Store) -> int:
        """Take in the runs of another store that this one lacks; how many there were."""
        other.flush()
        ours, new = self.keys(), 0
        for row in other._select(other._select_runs):
            if row[0] not in ours and other._read_row(row) is not None:
                values = row[:-1]
                self._pending.append((*values, self.session, checksum(*values)))
                new += 1
                if len(self._pending) >= KEYS_AT_ONCE:
                    self.flush()
        self.flush()
        return new

    def conflicts(self, other: Store) -> list[Conflict]:
        """Runs that both stores have with different numbers."""
        self.flush()
        other.flush()
        query = "SELECT key, params_hash || status, spec FROM runs"
        ours = {key: content for key, content, _ in self._select(query)}
        return [
            Conflict(key, spec)
            for key, content, spec in other._select(query)
            if ours.get(key, content) != content
        ]

    # -- sessions and studies -----------------------------------------------------------------

    def begin_session(self, command: str, environment: Mapping[str, Any]) -> None:
        """Note who writes from now on: the command and the machine it runs on."""
        text = msgspec.json.encode(environment).decode()
        with self._transaction() as db:
            found = db.execute(
                "INSERT INTO sessions (started, command, environment, checksum)"
                " VALUES (?, ?, ?, ?)",
                (time.time(), command, text, checksum(command, text)),
            )
            self.session = found.lastrowid

    def save_study(self, record: bytes) -> None:
        """Keep what a study came to, unless that is what was kept last."""
        if not self.is_last_study(record):
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO studies (session, record, checksum) VALUES (?, ?, ?)",
                    (self.session, record, checksum(record)),
                )

    def is_last_study(self, record: bytes) -> bool:
        """Whether this study was saved last, and is undamaged."""
        with contextlib.suppress(StoreError):
            return self.last_study() == record
        return False

    def last_study(self) -> bytes | None:
        """The study saved last; None when there is none.

        Raises:
            StoreError: It is damaged.
        """
        row = self._first(f"SELECT record, {self._checksum} FROM studies ORDER BY id DESC LIMIT 1")
        if row and (not isinstance(row[0], bytes) or not self._is_sound(row)):
            raise StoreError(
                f"{self.path}: the study in it is damaged; run its command again to restore it"
            )
        return row[0] if row else None

    def last_session(self) -> tuple[str, dict[str, Any]] | None:
        """Command and environment of the session that trained last; None when there is none.

        A damaged session counts as none, with a warning.
        """
        query = f"SELECT command, environment, {self._checksum} FROM sessions "
        row = self._first(  # most often the last one has trained the last run: a quick look
            f"{query} WHERE id = (SELECT max(id) FROM sessions)"
            " AND id = (SELECT session FROM runs ORDER BY rowid DESC LIMIT 1)"
        ) or self._first(f"{query} ORDER BY id IN (SELECT session FROM runs) DESC, id DESC LIMIT 1")
        if row is None:
            return None
        with contextlib.suppress(*UNREADABLE):
            if self._is_sound(row):
                return str(row[0]), _environments.decode(row[1])
        _log.warning("%s: the command and the environment in it are damaged", self.path)
        return None

    # -- inside -------------------------------------------------------------------------------

    def _rows(self, keys: Iterable[str] | None) -> Iterator[tuple[Any, ...]]:
        self.flush()
        if keys is None:
            yield from self._select(self._select_runs)
            return
        wanted = list(dict.fromkeys(keys))
        if 2 * len(wanted) > self.count():  # most of them: in the order of the file, that is fast
            known = set(wanted)
            for row in self._select(self._select_runs):
                if row[0] in known:
                    yield row
            return
        for some in batches(wanted, KEYS_AT_ONCE):
            yield from self._select(f"{self._select_runs} WHERE key IN {marks(some)}", some)

    def _read_row(
        self, row: tuple[Any, ...], reader: Reader | None = None, late: bool = False
    ) -> RunResult | None:
        try:
            packed = packed_run(row, verify=self._is_verified)
            if reader is None:
                return unpack_run(packed)
            return stored_result(packed, reader, read_spec=not late)
        except (StoreError, *UNREADABLE) as cause:
            self._warn(f"{damaged(self.path, row[0], cause)}; it is left out")
            return None

    def _warn(self, line: str) -> None:
        """Log the first damaged runs one by one, and that there are more."""
        self._warnings += 1
        if self._warnings <= MOST_WARNINGS:
            _log.warning("%s; the command of the study trains it again", line)
        elif self._warnings == MOST_WARNINGS + 1:
            _log.warning("%s: more runs are damaged", self.path)

    @property
    def _is_verified(self) -> bool:
        return self._select_runs is SELECT_RUNS

    @property
    def _checksum(self) -> str:
        return "checksum" if self._is_verified else "NULL"

    def _is_sound(self, row: tuple[Any, ...]) -> bool:
        """Whether the last value of a row is the checksum of the others."""
        return not self._is_verified or row[-1] == checksum(*row[:-1])

    def _select(self, query: str, arguments: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        with clear_errors(self.path):
            yield from self._db.execute(query, tuple(arguments))

    def _first(self, query: str) -> tuple[Any, ...] | None:
        return next(self._select(query), None)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with clear_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
                    self._db.execute("ROLLBACK")
                raise

    def _check_version(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise StoreError(
                f"{self.path} was written by a newer optbench (schema {version}, this one knows "
                f"{SCHEMA}); upgrade optbench or choose another folder"
            )
        if version < SCHEMA and not is_writable(self.path):
            self._select_runs = UNVERIFIED_RUNS
        elif version < SCHEMA:
            with self._transaction() as db:
                for step in range(version, SCHEMA):
                    if step not in MIGRATIONS:
                        raise StoreError(f"{self.path}: schema {version} cannot be migrated")
                    MIGRATIONS[step](db)
                db.execute(f"PRAGMA user_version = {SCHEMA}")
