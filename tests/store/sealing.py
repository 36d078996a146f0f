"""Checksums for rows that a test has changed, as an attacker would write them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from optbench.store.checksums import checksum
from optbench.store.rows import COLUMNS

CHECKED = {
    "runs": ", ".join(COLUMNS),
    "sessions": "command, environment",
    "studies": "record",
}
"""Columns that the checksum of a table depends on."""


def seal(db: sqlite3.Connection, tables: Iterable[str] = CHECKED) -> None:
    """Make the checksums of all rows match."""
    db.create_function("checksum", -1, checksum)
    for table in tables:
        db.execute(f"UPDATE {table} SET checksum = checksum({CHECKED[table]})")
