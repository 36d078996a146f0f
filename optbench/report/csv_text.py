"""Writes the leaderboard as CSV: one row for each optimizer and workload, and one over all."""

from __future__ import annotations

import csv
import functools
import io

from optbench.analysis.flat_rows import COLUMNS, flat_rows
from optbench.analysis.leaderboard import Leaderboard
from optbench.support.text import spreadsheet_cell


def leaderboard_csv(board: Leaderboard) -> str:
    """Return the text of ``leaderboard.csv``; rows over all workloads have an empty ``workload``.

    Infinity is ``inf``, an unknown number is empty. A cell that a spreadsheet would take for a
    formula begins with an apostrophe. The interval of divergence is that of the rate of lost runs,
    diverged or failed.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    clean = functools.cache(spreadsheet_cell)  # the same names are in row after row
    rows = (map(row.get, COLUMNS) for row in flat_rows(board.overall, board.workloads))
    writer.writerows([clean(v) if isinstance(v, str) else v for v in row] for row in rows)
    return out.getvalue()
