"""A packed run as one row of the table ``runs``, and back."""

from __future__ import annotations

import logging
import operator
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import msgspec

from optbench.errors import StoreError
from optbench.records import RunResult, SpecSource, StoredRun
from optbench.records.packing import UNREADABLE, PackedRun, split_columns, unpack_run
from optbench.records.stored_curves import CurveSource, StoredCurve
from optbench.store.checksums import checksum
from optbench.store.database import MISSING_COLUMNS, SCHEMA

COLUMNS = ("key", *(field.name for field in fields(PackedRun) if field.name != "key"))
"""Columns of the table ``runs`` that hold a result, in the order of the checksum."""
MOST_WARNINGS = 5
"""Damaged runs that are named one by one."""
_values = operator.attrgetter(*COLUMNS)
_log = logging.getLogger(__name__)


def marks(values: Sequence[object]) -> str:
    """Return the placeholders of these values in an SQL statement, in parentheses."""
    return f"({', '.join('?' * len(values))})"


_WRITTEN = (*COLUMNS, "session", "checksum")
INSERT_RUN = (
    f"INSERT INTO runs ({', '.join(_WRITTEN)}) VALUES {marks(_WRITTEN)}"
    f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _WRITTEN)}"
    " WHERE runs.status = 'failed'"
)
"""The first result of a run stays, unless it had failed."""
DAMAGED_RUNS = f"FROM runs WHERE checksum IS NOT checksum({', '.join(COLUMNS)})"
"""The rows whose values are not those that were written."""


def packed_row(packed: PackedRun, session: int | None) -> tuple[object, ...]:
    """Return the values of `INSERT_RUN` for a packed run. SQLite stores NaN as NULL."""
    return row_to_insert(_values(packed), session)


def row_to_insert(values: tuple[object, ...], session: int | None) -> tuple[object, ...]:
    """Return the values of `INSERT_RUN` for values of `COLUMNS`."""
    return (*values, session, checksum(*values))


class RunSource(CurveSource, SpecSource, Protocol):
    """A store of specs and curves."""


class RowReader:
    """Makes results of the rows of one store, and warns of damaged ones.

    Args:
        path: File of the store, for the warnings.
        schema: Version of its tables; less than `SCHEMA` if it can only be read.

    Attributes:
        select_runs: The SELECT whose rows `result` takes.
        checksum: The expression to select as the last value of a row that `is_sound` takes.
    """

    def __init__(self, path: Path, schema: int = SCHEMA) -> None:
        self._path = path
        self._verify = schema > 1  # the first schema had no checksums
        missing = MISSING_COLUMNS.get(schema, ())
        self._columns = tuple(name for name in COLUMNS if name not in missing)
        self._warnings = 0
        self.checksum = "checksum" if self._verify else "NULL"
        self.select_runs = f"SELECT {', '.join(self._columns)}, {self.checksum} FROM runs"

    def result(
        self, row: tuple[Any, ...], source: RunSource | None = None, *, read_spec: bool = True
    ) -> RunResult | None:
        """Return the result in a row; None, with a warning, if it is damaged.

        Args:
            row: Values of `select_runs`.
            source: Store in which the curve stays; None to keep the curve in memory.
            read_spec: Whether to unpack and check the spec now; otherwise it stays in the store.
        """
        try:
            packed = self._packed_run(row)
            if source is None:
                return unpack_run(packed)
            curve = StoredCurve(split_columns(packed.columns), packed.curve, packed.key, source)
            return unpack_run(packed, None if read_spec else StoredRun(packed.key, source), curve)
        except (StoreError, *UNREADABLE) as cause:
            self.warn(f"{damaged(self._path, row[0], cause)}; it is left out")
            return None

    def _packed_run(self, row: tuple[Any, ...]) -> PackedRun:
        if not self.is_sound(row):
            raise StoreError("its checksum does not match")
        values = dict(zip(self._columns, row[:-1], strict=True))
        if None in values.values():  # a number that was not measured
            values = {name: value for name, value in values.items() if value is not None}
        return msgspec.convert(values, PackedRun, builtin_types=(bytes,))

    def values(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the values of `COLUMNS` in a row of `select_runs`, None for missing ones."""
        values = dict(zip(self._columns, row[:-1], strict=True))
        return tuple(map(values.get, COLUMNS))

    def is_sound(self, row: tuple[Any, ...]) -> bool:
        """Return whether the last value of a row is the checksum of the others."""
        return not self._verify or row[-1] == checksum(*row[:-1])

    def warn(self, line: str) -> None:
        """Log the first damaged runs one by one, and then that there are more."""
        self._warnings += 1
        if self._warnings <= MOST_WARNINGS:
            _log.warning("%s; the command of the study trains it again", line)
        elif self._warnings == MOST_WARNINGS + 1:
            _log.warning("%s: more runs are damaged", self._path)


def damaged(path: Path, key: str, cause: Exception) -> StoreError:
    """Return an error that names the file and the run, so that the rest can be rescued."""
    return StoreError(f"{path}: run {key} is damaged: {cause}")
