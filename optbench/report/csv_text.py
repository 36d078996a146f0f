"""Writes the leaderboard as CSV: one row for each optimizer and workload, and one over all."""

from __future__ import annotations

import csv
import functools
import io
from typing import Any

from optbench.analysis.flat_rows import COLUMNS, flat_rows
from optbench.analysis.leaderboard import Leaderboard, rounded
from optbench.support.text import spreadsheet_cell


def leaderboard_csv(board: Leaderboard) -> str:
    """Return the text of ``leaderboard.csv``; rows over all workloads have an empty ``workload``.

    Infinity is ``inf``, an unknown number is empty; others have the digits of
    ``leaderboard.json``. A cell that a spreadsheet would take for a
    formula begins with an apostrophe. The interval of divergence is that of the rate of lost runs,
    diverged or failed.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = (map(row.get, COLUMNS) for row in flat_rows(board.overall, board.workloads))
    writer.writerows(map(_cell, row) for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    return rounded(value) if isinstance(value, float) else value


_clean = functools.lru_cache(maxsize=1024)(spreadsheet_cell)
"""The same names are in row after row."""
