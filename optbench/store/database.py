"""The SQLite file of a store: how it is created, recognized and migrated, and its errors."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from optbench.errors import StoreError
from optbench.store.checksums import checksum

APPLICATION_ID = 0x6F70746E
"""In the header of the file ("optn"): distinguishes a store from any other SQLite file."""
SCHEMA = 4
"""Version of the tables; an older file is migrated, a newer one is refused."""
COMPANIONS = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a store."""
BUSY_SECONDS = 60.0
"""Longest wait for the commit of another driver."""

# The text of a schema never changes: a new one gets a new number and a migration. A test compares
# the columns of `runs` with the fields of a packed run.
_TABLES = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, command TEXT NOT NULL, environment TEXT NOT NULL,
    checksum BLOB
);
CREATE TABLE runs (
    key TEXT PRIMARY KEY, spec BLOB NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    test_loss REAL, test_metric REAL, params_hash TEXT NOT NULL, grad_evals INTEGER NOT NULL,
    seconds REAL NOT NULL, loop TEXT NOT NULL, best_test_loss REAL, best_test_metric REAL,
    guess_train_loss REAL, guess_val_loss REAL, guess_test_loss REAL,
    end_train_loss REAL, end_train_metric REAL,
    columns TEXT NOT NULL, curve BLOB NOT NULL,
    session INTEGER REFERENCES sessions (id), checksum BLOB
);
CREATE TABLE studies (
    id INTEGER PRIMARY KEY, session INTEGER REFERENCES sessions (id), record BLOB NOT NULL,
    checksum BLOB
);
"""


def _add_checksums(db: sqlite3.Connection) -> None:
    for table in ("runs", "studies", "sessions"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN checksum BLOB")
    db.execute("""
        UPDATE runs SET checksum = checksum(
            key, status, reason, test_loss, test_metric, params_hash, grad_evals, seconds, loop,
            spec, columns, curve
        )
    """)
    db.execute("UPDATE studies SET checksum = checksum(record)")
    db.execute("UPDATE sessions SET checksum = checksum(command, environment)")


def _adding(columns: tuple[str, ...], outcome: str) -> Callable[[sqlite3.Connection], None]:
    """Return a migration that adds columns of numbers, which old runs do not have, to the outcome.

    Args:
        columns: Names of the new columns.
        outcome: The columns of the outcome before, with commas between them.
    """

    def migrate(db: sqlite3.Connection) -> None:
        for name in columns:
            db.execute(f"ALTER TABLE runs ADD COLUMN {name} REAL")
        nothing = ", ".join(["NULL"] * len(columns))
        # a run that was damaged before stays so
        db.execute(f"""
            UPDATE runs SET checksum = checksum({outcome}, {nothing}, spec, columns, curve)
            WHERE checksum IS checksum({outcome}, spec, columns, curve)
        """)

    return migrate


_OUTCOME_IN_2 = (
    "key, status, reason, test_loss, test_metric, params_hash, grad_evals, seconds, loop"
)
_ADDED_IN_3 = (
    "best_test_loss", "best_test_metric", "guess_train_loss", "guess_val_loss", "guess_test_loss",
)  # fmt: skip
_OUTCOME_IN_3 = ", ".join((_OUTCOME_IN_2, *_ADDED_IN_3))
_ADDED_IN_4 = ("end_train_loss", "end_train_metric")
MISSING_COLUMNS: dict[int, tuple[str, ...]] = {
    1: _ADDED_IN_3 + _ADDED_IN_4,
    2: _ADDED_IN_3 + _ADDED_IN_4,
    3: _ADDED_IN_4,
}
"""Columns of ``runs`` that a file of this version lacks, if it cannot be migrated."""
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {
    1: _add_checksums,
    2: _adding(_ADDED_IN_3, _OUTCOME_IN_2),
    3: _adding(_ADDED_IN_4, _OUTCOME_IN_3),
}
"""What changes a file of this version into one of the next; all run in one transaction."""
_MESSAGES = {
    sqlite3.SQLITE_FULL: "the disk is full; every run committed before is safe",
    sqlite3.SQLITE_IOERR: "the disk reports an error (full?); committed runs are safe",
    sqlite3.SQLITE_CORRUPT: "the file is damaged or truncated; it was left unchanged",
    sqlite3.SQLITE_NOTADB: "this is not a store of optbench; it was left unchanged",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_BUSY: f"another process has held the file for {BUSY_SECONDS:.0f} seconds",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; does its folder exist and is it writable?",
}


@contextlib.contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn every error of SQLite or of the file system into a `StoreError` of one line."""
    try:
        yield
    except sqlite3.Error as cause:
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        raise StoreError(f"{path}: {_MESSAGES.get(code, str(cause))}") from cause
    except OSError as cause:
        raise StoreError(f"{path}: {cause.strerror or cause}") from cause


class Database(NamedTuple):
    """An open file, and the version of its tables: `SCHEMA`, or less if it is read-only."""

    connection: sqlite3.Connection
    schema: int


def open_database(path: Path, *, create: bool) -> Database:
    """Open the file of a store, and migrate it if it is of an older schema.

    Args:
        path: The file.
        create: Whether to create a new store if there is no file.

    Raises:
        StoreError: The file is not a store, or is of a newer schema; it is left as it is.
        OSError: It cannot be opened.
        sqlite3.Error: Likewise.
    """
    if create and not path.exists():
        _create(path)
    _check_header(path)
    db = connect(path)
    try:
        return Database(db, _migrate(db, path))
    except BaseException:
        db.close()
        raise


def connect(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Connect to the file without any check; the caller begins and ends transactions.

    A store that cannot be written to is opened for reading. If it has no log beside it, it is
    opened as a file that nobody changes, because SQLite would have to create a log otherwise.
    """
    read_only = not _is_writable(path)
    target = str(path)
    if read_only:
        mode = "mode=ro" if _has_log(path) else "immutable=1"
        target = f"file:{quote(os.fsencode(path.absolute()))}?{mode}"
    db = sqlite3.connect(
        target,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=check_same_thread,
        uri=read_only,
    )
    try:
        db.create_function("checksum", -1, checksum, deterministic=True)
        if not read_only:
            db.execute(
                "PRAGMA synchronous = NORMAL"
            )  # with a write-ahead log: safe against kill -9
    except BaseException:
        db.close()
        raise
    return db


def _is_writable(path: Path) -> bool:
    """Return whether the store and its folder, where SQLite keeps its log, can be written to."""
    return os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block writes, or nothing of it."""
    try:
        db.execute("BEGIN IMMEDIATE")  # Ctrl-C while it waits is raised after it has begun
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # not begun, or rolled back on a full disk
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of the tables after the migration, if one is needed and possible."""
    version = _version(db)
    if version > SCHEMA:
        raise StoreError(
            f"{path} was written by a newer optbench (schema {version}, this one knows {SCHEMA}); "
            "upgrade optbench or choose another folder"
        )
    if version == SCHEMA or not _is_writable(path):
        return version
    with transaction(db):
        for step in range(_version(db), SCHEMA):  # another driver may just have migrated it
            if step not in MIGRATIONS:
                raise StoreError(f"{path}: schema {version} cannot be migrated")
            MIGRATIONS[step](db)
        db.execute(f"PRAGMA user_version = {SCHEMA}")
    return SCHEMA


def _create(path: Path) -> None:
    """Create the file under another name and link it into place, so it is never incomplete."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    try:
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as db:
            db.executescript(f"BEGIN; {_TABLES} COMMIT;")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("PRAGMA journal_mode = WAL")  # last: on a full disk no page stays in a log
        with contextlib.suppress(FileExistsError):  # another driver was first; its store is used
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


def _has_log(path: Path) -> bool:
    """Return whether a store has a log with content, which the last driver to close it removes."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"{path}-wal").stat().st_size > 0
    return False


def _is_odd(path: Path) -> bool:
    """Return whether something other than a regular file is in this place."""
    with contextlib.suppress(FileNotFoundError):  # also if it is removed just now
        return not stat.S_ISREG(path.stat().st_mode)
    return False


def _check_header(path: Path) -> None:
    """Refuse a file that is not a store before SQLite could write to it."""
    for each in (path, *(Path(f"{path}{suffix}") for suffix in COMPANIONS)):
        if _is_odd(each):  # reading a FIFO, for example, would never end
            raise StoreError(f"{each} is not a regular file; it was left unchanged; choose another")
    # Another driver may be moving pages from the log into the file, header first, and remove the
    # log at its end: an incomplete file is sound if there was a log before or after it was read.
    had_log = _has_log(path)
    with path.open("rb") as file:
        header = file.read(100)
        size = file.seek(0, os.SEEK_END)
    if not header or not header.startswith(b"SQLite format 3\x00"[: len(header)]):
        problem = "is not a store of optbench" if header else "is empty"
        raise StoreError(f"{path} {problem}; it was left unchanged; move it away or choose another")
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big") if len(header) == 100 else 1
    complete = size >= (65536 if page == 1 else page) * pages
    if len(header) < 100 or not (complete or had_log or _has_log(path)):
        raise StoreError(f"{path} is truncated ({size} bytes); it was left unchanged")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; it was left unchanged")
