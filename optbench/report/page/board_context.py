"""The boards for the template of the page, and their pairs for its scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optbench.analysis.board_records import Board, BoardRow
from optbench.analysis.leaderboard import Leaderboard
from optbench.report.format.board_layout import (
    board_regimes,
    select_boards,
    shared_note,
    value_limits,
)
from optbench.report.format.board_text import (
    TITLES,
    caption,
    evidence_texts,
    interval_text,
    region_text,
    statement_title,
    value_text,
)
from optbench.report.format.board_words import (
    assign_lanes,
    board_sentence,
    boards_by_regime,
    equal_groups,
    has_verdicts,
    place_text,
)

BEST_ROWS = 10
"""Rows of a panel that are shown before the reader asks for all of them."""


def board_groups(board: Leaderboard) -> list[dict[str, Any]]:
    """Return the groups of panels: these workloads, each regime of them, workloads like these."""
    select = board.protocol.select
    groups = [_group(select_boards(board.boards), "", select)]
    groups += [
        _group(select_boards(board.boards, regime=regime), regime, select)
        for regime in board_regimes(board.boards)
    ]
    likes = select_boards(board.boards, "workloads-like-these")
    return [group for group in [*groups, _group(likes, "", select)] if group["panels"]]


def _group(boards: Sequence[Board], regime: str, select: str) -> dict[str, Any]:
    if not boards:
        return {"panels": []}
    decided = any(map(has_verdicts, boards))
    return {
        "statement": boards[0].statement,
        "regime": regime,
        "title": statement_title(boards),
        "unit": boards[0].unit,
        "units": boards[0].units,
        "decided": decided,
        "note": "" if decided else shared_note(boards),
        "panels": [_panel(board, select) for board in boards],
    }


def _panel(board: Board, select: str) -> dict[str, Any]:
    low, high = value_limits(board.rows)
    groups = equal_groups(board)
    lanes = list(zip(groups, assign_lanes(groups), strict=True))
    return {
        "name": board.name,
        "title": TITLES[board.name],
        "region": region_text(board) if has_verdicts(board) else "",
        "sentence": board_sentence(board),
        "caption": caption(board.name, select),
        "ends": (value_text(board.name, low), value_text(board.name, high)),
        "lanes": 1 + max((lane for _, lane in lanes), default=-1),
        "rows": [_row(board, i, row, low, high, lanes) for i, row in enumerate(board.rows)],
    }


def _row(
    board: Board,
    i: int,
    row: BoardRow,
    low: float,
    high: float,
    lanes: Sequence[tuple[tuple[int, int], int]],
) -> dict[str, Any]:
    def share(value: float | None, default: float) -> str:
        return f"{(default if value is None else value - low) / (high - low):.4f}"

    value = row.value - low if row.value is not None else 0.0
    return {
        "label": row.label,
        "place": place_text(board, row),
        "value": value_text(board.name, row.value),
        "interval": interval_text(board.name, row),
        "v": share(row.value, value),
        "lo": share(row.low, value),
        "hi": share(row.high, value),
        "may_be_best": row.may_be_best,
        "details": {k: f"{v:.3g}" for k, v in row.details.items() if v is not None},
        "brackets": [
            (lane, "first" if i == first else "last" if i == last else "middle")
            for (first, last), lane in lanes
            if first <= i <= last
        ],
    }


def leaders(board: Leaderboard) -> list[tuple[str, list[list[str]]]]:
    """Return for each regime who may be the best on each board; empty where nothing is decided."""
    return [
        (regime, [[r.label for r in each.rows if r.may_be_best] if each else [] for each in boards])
        for regime, boards in boards_by_regime(board.boards)
    ]


def board_data(board: Leaderboard) -> list[dict[str, Any]]:
    """Return the boards with verdicts for the scripts: rows in order, and pairs by row."""
    return [_data(each) for each in board.boards if each.rows and has_verdicts(each)]


def _data(board: Board) -> dict[str, Any]:
    index = {row.label: i for i, row in enumerate(board.rows)}
    return {
        "name": board.name,
        "title": f"{TITLES[board.name]}, {statement_title([board]).lower()}",
        "statement": board.statement,
        "regime": board.regime or "",
        "region": region_text(board),
        "labels": [row.label for row in board.rows],
        "pairs": [
            [
                index[pair.first],
                index[pair.second],
                pair.verdict,
                *evidence_texts(board, pair),
            ]
            for pair in board.pairs
        ],
    }
