"""What every picture of boards shares: limits of the values, and rows that are left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from optbench.analysis.board_records import BOARD_NAMES, Board, BoardRow, Statement
from optbench.records import REGIMES, Regime

PADDING = 0.04
"""Room beyond the values, as a share of their span."""
LEAST_SPAN = 0.05
"""Smallest span of an axis of values."""


def select_boards(
    boards: Iterable[Board], statement: Statement = "these-workloads", regime: Regime | None = None
) -> list[Board]:
    """Return the boards of one statement and regime in the order of `BOARD_NAMES`."""
    chosen = [b for b in boards if b.statement == statement and b.regime == regime and b.rows]
    return sorted(chosen, key=lambda board: BOARD_NAMES.index(board.name))


def board_regimes(boards: Iterable[Board]) -> list[Regime]:
    """Return the regimes with boards of their own."""
    regimes = {board.regime for board in boards}
    return [regime for regime in REGIMES if regime in regimes]


def value_limits(rows: Sequence[BoardRow]) -> tuple[float, float]:
    """Return limits of an axis that holds the values and intervals of rows."""
    ends = [v for row in rows for v in (row.value, row.low, row.high) if v is not None]
    finite = [v for v in ends if math.isfinite(v)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = max((high - low) * PADDING, (LEAST_SPAN - (high - low)) / 2)
    return low - room, high + room


def shared_note(boards: Sequence[Board]) -> str:
    """Return the note of boards that all have the same one, or an empty string."""
    notes = {board.note for board in boards}
    return notes.pop() if len(notes) == 1 else ""
