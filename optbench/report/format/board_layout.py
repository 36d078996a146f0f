"""What every picture and table of boards shares: limits, places, brackets, and who is compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from optbench.analysis.board_records import Board, BoardRow, select_boards
from optbench.analysis.words.board_sentences import board_sentence, has_verdicts
from optbench.records import BOARD_NAMES, REGIMES, Regime
from optbench.report.format.numbers import UNKNOWN
from optbench.support.text import range_text

PADDING = 0.04
"""Room beyond the values, as a share of their span."""
LEAST_SPAN = 0.05
"""Smallest span of an axis of values."""


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


def common_sentence(boards: Sequence[Board]) -> str:
    """Return the one sentence that is said of all these boards together, or an empty string.

    Args:
        boards: Boards of one statement and regime.
    """
    if any(map(has_verdicts, boards)):
        return ""
    if all(len(board.rows) < 2 for board in boards):
        return board_sentence(boards[0]) if boards[0].statement == "these-workloads" else ""
    return shared_note(boards)


def place_text(board: Board, row: BoardRow) -> str:
    """Return ``1`` or ``1–3``; a dash where there are no verdicts, and without a value."""
    if row.value is None or not has_verdicts(board):
        return UNKNOWN
    return range_text(*row.place, to="–")


def assign_lanes(groups: Sequence[tuple[int, int]]) -> list[int]:
    """Return a lane for each group, such that groups in one lane do not overlap."""
    ends: list[int] = []
    lanes = []
    for first, last in groups:
        free = next((lane for lane, end in enumerate(ends) if end < first), len(ends))
        ends[free:] = [last] if free == len(ends) else [last, *ends[free + 1 :]]
        lanes.append(free)
    return lanes


def boards_by_regime(boards: Sequence[Board]) -> list[tuple[Regime, list[Board | None]]]:
    """Return each regime that has verdicts, with its boards in the order of `BOARD_NAMES`."""
    rows: list[tuple[Regime, list[Board | None]]] = []
    for regime in board_regimes(filter(has_verdicts, boards)):
        by_name = {board.name: board for board in select_boards(boards, regime=regime)}
        rows.append((regime, [by_name.get(name) for name in BOARD_NAMES]))
    return rows


def verdict_matrix(board: Board) -> list[str]:
    """Return one character for each pair of rows: ``>``, ``<``, ``=``, ``.``, or a blank.

    Row i, column j says how entrant i compares with entrant j, in the order of the board's rows.
    """
    index = {row.label: i for i, row in enumerate(board.rows)}
    cells = [[" "] * len(index) for _ in index]
    marks = {"better": (">", "<"), "equal": ("=", "="), "open": (".", ".")}
    for pair in board.pairs:
        i, j = index[pair.first], index[pair.second]
        cells[i][j], cells[j][i] = marks[pair.verdict]
    return ["".join(row) for row in cells]
