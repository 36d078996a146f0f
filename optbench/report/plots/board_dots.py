"""The boards as a picture: dots with intervals, four boards side by side, each in its own order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from optbench.analysis.board_records import Board
from optbench.analysis.words.board_sentences import equal_groups, has_verdicts
from optbench.analysis.words.board_text import (
    TITLES,
    interval_level,
    region_text,
    statement_title,
    value_text,
)
from optbench.report.format.board_layout import assign_lanes, place_text, value_limits
from optbench.report.format.palette import Look
from optbench.report.format.ticks import board_ticks
from optbench.report.plots.labels import LONGEST_DIRECT, direct_label
from optbench.report.plots.sheet_fit import is_narrower_than
from optbench.report.plots.sheets import INK, SOFT, Sheet, box_inches, make_sheet

ROW_INCHES = 0.22
"""Height of a row."""
NAME_LETTER_INCHES = 0.075
PLACE_INCHES = 0.45
"""Room for the places, left of the names."""
VALUE_INCHES = 0.5
"""Room for the values, right of the dots."""
LANE_INCHES = 0.07
"""Distance between two brackets."""
LONGEST_NAME = 22
NARROW_INCHES = 4.0
"""Width of a sheet below which names are shorter."""
SHAPE_MARKERS: dict[str, Any] = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "pill": [(-0.7, -1.2), (0.7, -1.2), (0.7, 1.2), (-0.7, 1.2), (-0.7, -1.2)],
}
"""Markers of the shapes of dots."""
LEAST_WIDTH_INCHES = 0.5
"""Width of the dots on a narrow sheet."""


def draw_boards(boards: Sequence[Board], looks: dict[str, Look], title: str = "") -> Sheet:
    """Draw boards side by side.

    Args:
        boards: At least one board; all on the same workloads.
        looks: Label -> look.
        title: Name of the study.
    """
    names = _names(boards[0])
    lanes = max((max(_lanes(each), default=-1) + 1 for each in boards), default=0)
    left = 0.2 + PLACE_INCHES + NAME_LETTER_INCHES * max(map(len, names)) + LANE_INCHES * lanes
    sheet = make_sheet(
        statement_title(boards) + (f": {title}" if title else ""),
        _explanation(boards),
        n=len(boards),
        columns=2,
        width=2.2,
        height=ROW_INCHES * len(names) + 0.1,
        left=left,
        right=VALUE_INCHES,
        bottom=0.35,
        titles=[_title(board) for board in boards],
        least=LEAST_WIDTH_INCHES,
    )
    for axes, each in zip(sheet.axes, boards, strict=True):
        _draw_board(axes, each, looks)
    return sheet


def _explanation(boards: Sequence[Board]) -> str:
    if not any(map(has_verdicts, boards)):
        return "Dot: value, better to the right. No verdicts, and no intervals."
    return (
        f"Dot and line: value and {interval_level(boards[0])} interval, better to the right. Full "
        "dot: may be the best, by one-sided tests. In front: the place,\nor the places that the "
        "pairs, tested on both sides, leave open. "
        "Bracket: equal, as every difference surely lies within the region of practical "
        "equivalence."
    )


def _names(board: Board) -> list[str]:
    """Return the names of the rows, short ones on a narrow sheet."""
    most = LONGEST_DIRECT if is_narrower_than(NARROW_INCHES) else LONGEST_NAME
    return [direct_label(row.label, most) for row in board.rows]


def _title(board: Board) -> str:
    return TITLES[board.name] + (
        f" (equal means {region_text(board)})" if has_verdicts(board) else ""
    )


def _lanes(board: Board) -> list[int]:
    return assign_lanes(equal_groups(board))


def _draw_board(axes: Axes, board: Board, looks: dict[str, Look]) -> None:
    low, high = value_limits(board.rows)
    axes.set_xlim(low, high)
    axes.set_ylim(len(board.rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    labels = _names(board)
    axes.set_yticks(range(len(labels)), labels, color=INK, fontsize=8)
    ticks = board_ticks(board.name, low, high)
    axes.set_xticks(ticks, [value_text(board.name, tick) for tick in ticks])
    inch = 1 / box_inches(axes)[0]  # of the width of the axes
    groups = equal_groups(board)
    lanes = _lanes(board)
    name = NAME_LETTER_INCHES * max(map(len, labels)) + 0.16
    for (first, last), lane in zip(groups, lanes, strict=True):
        x = -(name + LANE_INCHES * (lane + 0.5)) * inch
        axes.plot(
            [x + 0.02, x, x, x + 0.02],
            [first, first, last, last],
            transform=axes.get_yaxis_transform(),
            color=SOFT,
            linewidth=1,
            clip_on=False,
        )
    edge = -(name + LANE_INCHES * (max(lanes, default=-1) + 1) + 0.05) * inch
    for i, row in enumerate(board.rows):
        look = looks[row.label]
        beside = axes.get_yaxis_transform()
        place = place_text(board, row)
        axes.text(edge, i, place, transform=beside, ha="right", va="center", color=SOFT, size=7.5)
        value = value_text(board.name, row.value)
        axes.text(1.03, i, value, transform=beside, va="center", color=INK, size=7.5)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [i, i], color=look.colour, linewidth=1.6)
        if row.value is not None:
            fill = look.colour if row.may_lead(board.name) else "white"
            axes.plot(
                [row.value],
                [i],
                marker=SHAPE_MARKERS[look.shape],
                color=look.colour,
                markerfacecolor=fill,
                markersize=5,
            )
