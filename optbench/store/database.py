"""The file of a store: made whole, recognised by its header, its faults named."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from optbench.errors import StoreError

APPLICATION_ID = 0x6F70746E
"""In the file's header ("optn"): tells a store of ours from any other SQLite file."""
SCHEMA = 2
"""Version of the tables; an older file is migrated, a newer one refused."""
BUSY_SECONDS = 60.0
"""How long to wait for another driver's commit."""

_TABLES = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, command TEXT NOT NULL, environment TEXT NOT NULL,
    checksum BLOB
);
CREATE TABLE runs (
    key TEXT PRIMARY KEY, spec BLOB NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    test_loss REAL, test_metric REAL, params_hash TEXT NOT NULL, grad_evals INTEGER NOT NULL,
    seconds REAL NOT NULL, loop TEXT NOT NULL, columns TEXT NOT NULL, curve BLOB NOT NULL,
    session INTEGER REFERENCES sessions (id), checksum BLOB
);
CREATE TABLE studies (
    id INTEGER PRIMARY KEY, session INTEGER REFERENCES sessions (id), record BLOB NOT NULL,
    checksum BLOB
);
"""


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Whatever goes wrong with the file is a `StoreError` that says so in one line."""
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


def checksum(*values: object) -> bytes:
    """Return 16 bytes that depend on every bit of the values of a row; SQLite calls it too."""
    return hashlib.blake2b(_canonical(values), digest_size=16).digest()


def _canonical(values: Sequence[object]) -> bytes:
    """Return the values as SQLite gives them back: NaN is NULL, any float is Python's."""
    return msgspec.msgpack.encode([_plain(value) for value in values])


def _plain(value: object) -> object:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else float(value)


def is_writable(path: Path) -> bool:
    """Return whether a store and its folder, where SQLite keeps its log, can be written to."""
    return os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def connect(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Open the file; transactions are the caller's.

    A store that cannot be written to is opened for reading. Without a log beside it, as on a
    read-only file system, it is opened as a file that nobody changes: SQLite would need to create
    one otherwise.
    """
    target, uri = str(path), not is_writable(path)
    if uri:
        log = Path(f"{path}-wal")
        mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
        target = f"file:{quote(os.fsencode(path.absolute()))}?{mode}"
    db = sqlite3.connect(
        target,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=check_same_thread,
        uri=uri,
    )
    db.create_function("checksum", -1, checksum, deterministic=True)
    if not uri:
        db.execute("PRAGMA synchronous = NORMAL")  # in WAL mode: safe against kill -9
    return db


def create_store(path: Path) -> None:
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


def check_header(path: Path) -> None:
    """Refuse what is not a store before SQLite has a chance to write to it."""
    if path.exists() and not path.is_file():  # a FIFO, say, from which a read would never return
        raise StoreError(f"{path} is not a regular file; it was left as it is, choose another")
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
