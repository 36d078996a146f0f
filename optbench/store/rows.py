"""A packed run as one row of the table ``runs``, and back."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import msgspec

from optbench.errors import StoreError
from optbench.records import RunResult, SpecSource, StoredRun
from optbench.records.packing import PackedRun, split_columns, unpack_run
from optbench.records.stored_curves import CurveSource, StoredCurve
from optbench.store.database import checksum

COLUMNS = ("key", *(field.name for field in fields(PackedRun) if field.name != "key"))
"""Columns of the table ``runs`` that hold a result; the session that wrote it is one more."""
_values = operator.attrgetter(*COLUMNS)


def marks(values: Sequence[object]) -> str:
    """Return the placeholders of these values in an SQL statement, in parentheses."""
    return f"({', '.join('?' * len(values))})"


SELECT_RUNS = f"SELECT {', '.join(COLUMNS)}, checksum FROM runs"
UNVERIFIED_RUNS = f"SELECT {', '.join(COLUMNS)}, NULL FROM runs"
"""`SELECT_RUNS` for a store of schema 1 that cannot be migrated because it is read-only."""
DAMAGED_RUNS = f"FROM runs WHERE checksum IS NOT checksum({', '.join(COLUMNS)})"
"""The rows whose values are not those that were written."""
ADD_CHECKSUMS = (
    "ALTER TABLE runs ADD COLUMN checksum BLOB",
    "ALTER TABLE studies ADD COLUMN checksum BLOB",
    "ALTER TABLE sessions ADD COLUMN checksum BLOB",
    f"UPDATE runs SET checksum = checksum({', '.join(COLUMNS)})",
    "UPDATE studies SET checksum = checksum(record)",
    "UPDATE sessions SET checksum = checksum(command, environment)",
)
"""Statements that turn schema 1 into schema 2."""
_WRITTEN = (*COLUMNS, "session", "checksum")
INSERT_RUN = (
    f"INSERT INTO runs ({', '.join(_WRITTEN)}) VALUES {marks(_WRITTEN)}"
    f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _WRITTEN)}"
    " WHERE runs.status = 'failed'"
)
"""The first result of a run stays, unless it had failed."""


class RunSource(CurveSource, SpecSource, Protocol):
    """A store of specs and curves."""


def row_of(packed: PackedRun, session: int | None) -> tuple[object, ...]:
    """Return the values of `INSERT_RUN`. SQLite stores NaN as NULL."""
    values = _values(packed)
    return (*values, session, checksum(*values))


def packed_run(row: tuple[Any, ...], *, verify: bool = True) -> PackedRun:
    """Return the run in a row of `SELECT_RUNS`; NULL is a number that was not measured.

    Args:
        row: Values of `SELECT_RUNS`, or of `UNVERIFIED_RUNS`.
        verify: Whether the row must match its checksum.

    Raises:
        StoreError: The values are not those that were written.
        msgspec.ValidationError: A value has another type than its column; SQLite allows any type
            in any column.
    """
    *columns, expected = row
    if verify and expected != checksum(*columns):
        raise StoreError("its checksum does not match")
    values = dict(zip(COLUMNS, columns, strict=True))
    if None in columns:
        values = {name: value for name, value in values.items() if value is not None}
    return msgspec.convert(values, PackedRun, builtin_types=(bytes,))


def stored_result(packed: PackedRun, source: RunSource, *, read_spec: bool) -> RunResult:
    """Return a result that leaves its curve in the store.

    Args:
        packed: The packed result.
        source: Store to read from.
        read_spec: Whether to unpack and check the spec now; otherwise it also stays in the store.

    Raises:
        StoreError: The row is damaged.
    """
    curve = StoredCurve(split_columns(packed.columns), packed.curve, packed.key, source)
    return unpack_run(packed, None if read_spec else StoredRun(packed.key, source), curve)


def damaged(path: Path, key: str, cause: Exception) -> StoreError:
    """Return an error that names the file and the run, so that the rest can be rescued."""
    return StoreError(f"{path}: run {key} is damaged: {cause}")
