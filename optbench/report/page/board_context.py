"""The boards for the template of the page, and their pairs for its scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optbench.analysis.board_records import Board, BoardRow, select_boards
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.board_sentences import (
    baseline_sentence,
    board_sentence,
    equal_groups,
    has_verdicts,
)
from optbench.analysis.words.board_text import (
    TITLES,
    best_loss_text,
    caption,
    evidence_texts,
    interval_level,
    interval_text,
    region_text,
    statement_title,
    value_text,
)
from optbench.records import BoardName
from optbench.report.format.board_layout import (
    assign_lanes,
    board_regimes,
    boards_by_regime,
    common_sentence,
    place_text,
    value_limits,
)
from optbench.report.format.ticks import board_ticks

BEST_ROWS = 10
"""Rows of a panel that are shown before the reader asks for all of them."""

NAME_PIXELS = (12, 9.6)
"""Width of a name: its margins, and each of its letters, in the widest of the usual fonts."""
WIDE_LETTERS = "mwMW"
"""Letters that are half as wide again."""
ONE_LINE = 12
"""Letters of a name that is not broken."""
WIDEST_NAME_PIXELS = 150
VALUE_NAMES: dict[BoardName, str] = {
    "final-loss": "score",
    "training-loss": "score",
    "speed": "budget",
    "stability": "score",
}
"""What the values of a board are, as the heading of their column."""


def board_groups(board: Leaderboard) -> list[dict[str, Any]]:
    """Return the groups of panels: these workloads, each regime of them, workloads like these."""
    about = {"select": board.protocol.select, "best": best_loss_text(board.workloads)}
    groups = [_group(select_boards(board.boards), "", about)]
    groups += [
        _group(select_boards(board.boards, regime=regime), regime, about)
        for regime in board_regimes(board.boards)
    ]
    likes = select_boards(board.boards, "workloads-like-these")
    return [group for group in [*groups, _group(likes, "", about)] if group["panels"]]


def _group(boards: Sequence[Board], regime: str, about: Mapping[str, str]) -> dict[str, Any]:
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
        "level": interval_level(boards[0]),
        "note": common_sentence(boards),
        "notes": list(dict.fromkeys(b.note for b in boards if b.note)) if decided else [],
        "panels": [_panel(board, about) for board in boards],
    }


def _panel(board: Board, about: Mapping[str, str]) -> dict[str, Any]:
    low, high = value_limits(board.rows)
    groups = equal_groups(board)
    lanes = list(zip(groups, assign_lanes(groups), strict=True))
    return {
        "name": board.name,
        "title": TITLES[board.name],
        "region": region_text(board) if has_verdicts(board) else "",
        "sentence": board_sentence(board),
        "baseline": baseline_sentence(board),
        "value_name": VALUE_NAMES[board.name],
        "name_width": _name_width([row.label for row in board.rows]),
        "caption": caption(board.name, **about),
        "ticks": [
            (f"{(tick - low) / (high - low):.4f}", value_text(board.name, tick))
            for tick in board_ticks(board.name, low, high, most=2)
        ],
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
        "parts": name_parts(row.label),
        "place": place_text(board, row),
        "value": value_text(board.name, row.value),
        "interval": interval_text(board.name, row),
        "v": share(row.value, value),
        "lo": share(row.low, value),
        "hi": share(row.high, value),
        "dot": "" if row.may_lead(board.name) else " behind",
        "details": {k: f"{v:.3g}" for k, v in row.details.items() if v is not None},
        "brackets": [
            (lane, "first" if i == first else "last" if i == last else "middle")
            for (first, last), lane in lanes
            if first <= i <= last
        ],
    }


def name_parts(label: str) -> list[str]:
    """Return the parts of a name between which a line may end.

    Example:
        >>> name_parts("adam[beta1=0.5,lr=0.1]"), name_parts("sgd")
        (['adam', '[beta1=0.5,', 'lr=0.1]'], ['sgd'])
    """
    name, bracket, values = label.partition("[")
    if not bracket:
        return [label]
    *texts, last = values.split(",")
    first, *others = [*(f"{text}," for text in texts), last]
    return [name, bracket + first, *others]


def _name_width(labels: Sequence[str]) -> float:
    """Return the width of the column of names in pixels.

    Long names have a line for each part, and browsers break lines after a hyphen.
    """
    pieces = [
        piece
        for label in labels
        for piece in ([label] if len(label) <= ONE_LINE else _unbroken_pieces(label))
    ]
    letters = max(len(piece) + sum(map(piece.count, WIDE_LETTERS)) / 2 for piece in pieces)
    return min(NAME_PIXELS[0] + NAME_PIXELS[1] * letters, WIDEST_NAME_PIXELS)


def _unbroken_pieces(label: str) -> list[str]:
    return [piece for part in name_parts(label) for piece in part.replace("-", "- ").split()]


def leaders(board: Leaderboard) -> list[tuple[str, list[list[str]]]]:
    """Return for each regime who may be the best on each board; empty where nothing is decided."""
    return [
        (
            regime,
            [
                [r.label for r in each.rows if r.may_lead(each.name)] if each else []
                for each in boards
            ],
        )
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
