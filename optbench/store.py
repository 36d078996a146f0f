"""Keeps runs in one SQLite file, each under its content key. Only the driver writes.

A run is committed within `COMMIT_SECONDS`, so that a killed driver loses next to nothing. Several
drivers may share a file: whoever is first stores a run, the other's is ignored.

Longer than other files because SQL stays in this one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Self

import msgspec

from optbench.errors import StoreError
from optbench.packing import (
    UNREADABLE,
    StoredCurve,
    pack_curve,
    pack_spec,
    shared,
    unpack_curve,
    unpack_spec,
)
from optbench.records import CURVE_COLUMNS, Curve, RunResult, Status

APPLICATION_ID = 0x6F70746E
"""In the file's header ("optn"): tells a store of ours from any other SQLite file."""
SCHEMA = 1
"""Version of the tables; an older file is migrated, a newer one refused."""
COMMIT_SECONDS = 0.5
"""How long a finished run may wait before it is committed."""
BUSY_SECONDS = 60.0
"""How long to wait for another driver's commit."""
CHUNK = 500
"""Keys in one SELECT; SQLite allows 999 parameters at least."""
CURVES_AT_HAND = 64
"""Curves that are kept when runs are read without theirs: those of a panel of a plot."""

_TABLES = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, command TEXT NOT NULL, environment TEXT NOT NULL
);
CREATE TABLE runs (
    key TEXT PRIMARY KEY, spec BLOB NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    test_loss REAL, test_metric REAL, params_hash TEXT NOT NULL, grad_evals INTEGER NOT NULL,
    seconds REAL NOT NULL, loop TEXT NOT NULL, columns TEXT NOT NULL, curve BLOB NOT NULL,
    session INTEGER REFERENCES sessions (id)
);
CREATE TABLE studies (
    id INTEGER PRIMARY KEY, session INTEGER REFERENCES sessions (id), record BLOB NOT NULL
);
"""

MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
"""What lifts a store from this version to the next; run in one transaction."""

_FIELDS = (
    "key, spec, status, reason, test_loss, test_metric, params_hash, grad_evals, seconds, loop, "
    "columns, curve"
)
_NAMES = _FIELDS.split(", ")
_TYPES: tuple[type | UnionType, ...] = (
    str, bytes, str, str, float | None, float | None, str, int, float, str, str, bytes
)  # fmt: skip
"""Of `_FIELDS`, in their order."""

_environments = msgspec.json.Decoder(dict[str, Any])
_KEEP = (
    f"INSERT INTO runs ({_FIELDS}, session) VALUES ({', '.join('?' * 13)})"
    " ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_NAMES, "session"))
    + " WHERE runs.status = 'failed'"
)
"""The first result of a run stays; a failed one makes room for the next."""


class Conflict(NamedTuple):
    """One run with different results in two stores."""

    key: str
    spec: bytes


def _curve_reader(path: Path) -> Callable[[str], bytes]:
    """A function that reads the curve of a run, in any thread; opens the file when first called.

    The file is closed when nobody holds on to the function.
    """
    path = path.absolute()
    lock = threading.Lock()
    opened: list[sqlite3.Connection] = []

    @functools.lru_cache(CURVES_AT_HAND)
    def fetch(key: str) -> bytes:
        with lock, _clear_errors(path):
            if not opened:
                opened.append(_connect(path, check_same_thread=False))
            found = opened[0].execute("SELECT curve FROM runs WHERE key = ?", (key,)).fetchone()
        if found is None:
            raise StoreError(f"{path}: run {key} is no longer in it")
        return bytes(found[0])

    weakref.finalize(fetch, _close, opened)
    return fetch


def _close(opened: list[sqlite3.Connection]) -> None:
    for db in opened:
        db.close()


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
        with _clear_errors(path):
            if create and not path.exists():
                _create(path)
            _check_header(path)
            self._db = _connect(path)
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
        self._pending.append(_row(result, self.session))
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
                db.executemany(_KEEP, self._pending)
            self._pending.clear()
        self._committed = time.monotonic()

    def forget(self, keys: Iterable[str]) -> None:
        """Take runs out, so that they can be trained again."""
        self.flush()
        with self._transaction() as db:
            db.executemany("DELETE FROM runs WHERE key = ?", [(key,) for key in keys])

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
        """Results by key (all of them if None), in no order; unknown keys are left out."""
        for row in self._rows(keys):
            yield self._result(row, unpack_curve)

    def outcomes(self, keys: Iterable[str]) -> Iterator[tuple[str, RunResult]]:
        """Keys and results that read their curves from the file when asked, also once it is closed.

        A study of 100,000 runs takes about 150 MB so, and 700 MB with its curves.
        """
        fetch = _curve_reader(self.path)
        for row in self._rows(keys):
            stored = functools.partial(StoredCurve, key=row[0], fetch=fetch)
            yield row[0], self._result(row, stored)

    def count(self) -> int:
        """Number of runs stored."""
        self.flush()
        return int(next(self._select("SELECT count(*) FROM runs"))[0])

    def merge(self, other: Store) -> int:
        """Take in the runs of another store that this one lacks; how many there were."""
        other.flush()
        ours, new = self.keys(), 0
        for row in other._select(f"SELECT {_FIELDS} FROM runs"):
            if row[0] not in ours:
                other._result(row, unpack_curve)  # nothing damaged is taken in
                self._pending.append((*row, self.session))
                new += 1
                if len(self._pending) >= CHUNK:
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
        with self._transaction() as db:
            found = db.execute(
                "INSERT INTO sessions (started, command, environment) VALUES (?, ?, ?)",
                (time.time(), command, msgspec.json.encode(environment).decode()),
            )
            self.session = found.lastrowid

    def save_study(self, record: bytes) -> None:
        """Keep what a study came to, unless that is what was kept last."""
        if self.last_study() != record:
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO studies (session, record) VALUES (?, ?)", (self.session, record)
                )

    def last_study(self) -> bytes | None:
        """The study saved last; None when there is none."""
        row = next(self._select("SELECT record FROM studies ORDER BY id DESC LIMIT 1"), None)
        if row and not isinstance(row[0], bytes):
            raise StoreError(f"{self.path}: the study in it is damaged")
        return row[0] if row else None

    def last_session(self) -> tuple[str, dict[str, Any]] | None:
        """Command and environment of the session that trained last; None when there is none."""
        query = (
            "SELECT command, environment FROM sessions ORDER BY"
            " id IN (SELECT session FROM runs) DESC, id DESC LIMIT 1"
        )
        row = next(self._select(query), None)
        try:
            return (str(row[0]), _environments.decode(row[1])) if row else None
        except UNREADABLE as cause:
            raise StoreError(f"{self.path}: the environment in it is damaged: {cause}") from cause

    # -- inside -------------------------------------------------------------------------------

    def _rows(self, keys: Iterable[str] | None) -> Iterator[tuple[Any, ...]]:
        self.flush()
        if keys is None:
            yield from self._select(f"SELECT {_FIELDS} FROM runs")
            return
        wanted = list(dict.fromkeys(keys))
        if 2 * len(wanted) > self.count():  # most of them: in the order of the file, that is fast
            known = set(wanted)
            every = self._select(f"SELECT {_FIELDS} FROM runs")
            yield from (row for row in every if row[0] in known)
            return
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            marks = ", ".join("?" * len(chunk))
            yield from self._select(f"SELECT {_FIELDS} FROM runs WHERE key IN ({marks})", chunk)

    def _result(self, row: tuple[Any, ...], curve: Callable[..., Curve]) -> RunResult:
        try:
            result = _from_row(row, curve(_names(row[10]), row[11]))
            if result.key != row[0]:
                raise StoreError("it is another run")
            return result
        except (StoreError, *UNREADABLE) as cause:
            raise StoreError(f"{self.path}: run {row[0]} is damaged: {cause}") from cause

    def _select(self, query: str, arguments: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        with _clear_errors(self.path):
            yield from self._db.execute(query, tuple(arguments))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _clear_errors(self.path):
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
        if version < SCHEMA:
            with self._transaction() as db:
                for step in range(version, SCHEMA):
                    if step not in MIGRATIONS:
                        raise StoreError(f"{self.path}: schema {version} cannot be migrated")
                    MIGRATIONS[step](db)
                db.execute(f"PRAGMA user_version = {SCHEMA}")


@contextlib.contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as cause:
        raise StoreError(f"{path}: {_say(cause)}") from cause
    except OSError as cause:
        raise StoreError(f"{path}: {cause.strerror or cause}") from cause


def _say(cause: sqlite3.Error) -> str:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return {
        sqlite3.SQLITE_FULL: "the disk is full; every run committed before is safe",
        sqlite3.SQLITE_IOERR: "the disk reports an error (full?); committed runs are safe",
        sqlite3.SQLITE_CORRUPT: "the file is damaged or truncated; it was left as it is",
        sqlite3.SQLITE_NOTADB: "this is not a store of optbench; it was left as it is",
        sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
        sqlite3.SQLITE_BUSY: f"another process has held the file for {BUSY_SECONDS:.0f} seconds",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; is its folder there and writable?",
    }.get(code, str(cause))


def _connect(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    db = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=check_same_thread,
    )
    db.execute("PRAGMA synchronous = NORMAL")  # in WAL mode: safe against kill -9
    return db


def _create(path: Path) -> None:
    """Make the file beside its place and link it in whole, so that no half-made store exists."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    try:
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as db:
            db.executescript(f"BEGIN; {_TABLES} COMMIT;")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("PRAGMA journal_mode = WAL")  # last: on a full disk no page stays in a log
        with contextlib.suppress(FileExistsError):  # another driver was first: its store it is
            _put_in_place(draft, path)
    finally:
        for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            leftover.unlink(missing_ok=True)


def _put_in_place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(draft, path)


def _check_header(path: Path) -> None:
    """Refuse what is not a store before SQLite has a chance to write to it."""
    with path.open("rb") as file:
        header = file.read(100)
        size = file.seek(0, os.SEEK_END)
    if not header or not header.startswith(b"SQLite format 3\x00"[: len(header)]):
        what = "is empty" if not header else "is not a store of optbench"
        raise StoreError(f"{path} {what}; it was left as it is, move it away or choose another")
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big") if len(header) == 100 else 1
    log = Path(f"{path}-wal")
    whole = size >= (65536 if page == 1 else page) * pages
    if len(header) < 100 or not (whole or (log.exists() and log.stat().st_size)):
        raise StoreError(f"{path} is truncated ({size} bytes); it was left as it is")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; it was left as it is")


def _row(result: RunResult, session: int | None) -> tuple[object, ...]:
    return (
        result.key,
        pack_spec(result.spec),
        result.status.value,
        result.reason,
        result.test_loss,
        result.test_metric,
        result.params_hash,
        result.grad_evals,
        result.seconds,
        result.loop,
        ",".join(result.curve.columns),
        pack_curve(result.curve),
        session,
    )


@functools.lru_cache
def _names(columns: str) -> tuple[str, ...]:
    names = tuple(columns.split(","))
    if names[: len(CURVE_COLUMNS)] != CURVE_COLUMNS:
        raise StoreError("its curve lacks columns")
    return names


def _from_row(row: tuple[Any, ...], curve: Curve) -> RunResult:
    for name, value, kind in zip(_NAMES, row, _TYPES, strict=True):
        if not isinstance(value, kind):  # SQLite keeps any type in any column
            raise StoreError(f"its {name} is {type(value).__name__}")
    return RunResult(
        spec=unpack_spec(row[1]),
        status=Status(row[2]),
        reason=row[3],
        curve=curve,
        test_loss=float("nan") if row[4] is None else row[4],
        test_metric=float("nan") if row[5] is None else row[5],
        params_hash=row[6],
        grad_evals=row[7],
        seconds=row[8],
        loop=shared(row[9]),
    )
