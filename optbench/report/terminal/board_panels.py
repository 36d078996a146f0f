"""Boards in the terminal: panels side by side, each with its own order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from optbench.analysis.board_records import Board, BoardRow
from optbench.analysis.words.board_sentences import equal_groups, has_verdicts
from optbench.analysis.words.board_text import TITLES, region_text, value_text
from optbench.records import BoardName
from optbench.report.format.board_layout import assign_lanes, place_text, value_limits
from optbench.report.format.palette import Look
from optbench.support.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

MOST_ROWS = 12
"""Entrants up to which a panel lists everyone."""
BEST_ROWS = 8
"""Rows of a panel with more entrants."""
GAP = 3
"""Blank columns between two panels."""
MOST_WIDTH = 58
"""Columns of a panel in a wide terminal."""
LEAST_STRIP = 8
"""Columns that a dot with its interval needs."""
MOST_LANES = 2
"""Brackets beside each other; further groups are in the tables of the report."""
LEAST_NAME = 9


def panel_lines(boards: Sequence[Board], looks: Mapping[str, Look], width: int) -> Iterator[Text]:
    """Yield lines of text with the boards side by side, as many as fit.

    Args:
        boards: Boards of one statement.
        looks: Label -> look.
        width: Columns of the terminal.
    """
    from rich.text import Text

    labels = [_name(row.label) for board in boards for row in board.rows]
    name = max(max(map(_cells, labels), default=0), LEAST_NAME)
    fixed = 5 + 1 + MOST_LANES + 1 + 1 + 5
    for columns in (4, 2, 1):
        panel = min((width - GAP * (columns - 1)) // columns, MOST_WIDTH)
        if columns == 1 or panel - fixed - min(name, 14) >= LEAST_STRIP:
            break
    name = max(min(name, panel - fixed - LEAST_STRIP), 4)
    strip = max(panel - fixed - name, 0)
    for start in range(0, len(boards), columns):
        group = [_panel(board, looks, name, strip) for board in boards[start : start + columns]]
        if start:
            yield Text()
        for line in zip_longest(*group):
            joined = Text()
            for text in line:
                part = Text() if text is None else text
                joined.append_text(part)
                joined.append(" " * (panel + GAP - part.cell_len))
            joined.rstrip()
            yield joined


def _panel(board: Board, looks: Mapping[str, Look], name: int, strip: int) -> list[Text]:
    from rich.text import Text

    rows = shown_rows(board)
    title = Text.assemble((TITLES[board.name], "bold"))
    region = f"equal means {region_text(board)}" if has_verdicts(board) else ""
    room = 5 + 1 + MOST_LANES + name + 1 + strip + 1 + 5
    if region and title.cell_len + len(region) + 2 <= room:
        title.append(" " * (room - title.cell_len - len(region)))
        title.append(region, "dim")
    brackets = _brackets(board, len(rows))
    limits = value_limits(rows)
    lines = [title]
    for row, bracket in zip(rows, brackets, strict=True):
        line = Text(place_text(board, row).rjust(5) + " " + bracket, style="")
        line.append(_fit(_name(row.label), name), f"bold {looks[row.label].colour}")
        line.append(" ")
        line.append(_strip(board.name, row, limits, strip), looks[row.label].colour)
        line.append(" " + value_text(board.name, row.value).rjust(5))
        lines.append(line)
    if len(rows) < len(board.rows):
        lines.append(Text(" " * 8 + f"… {len(board.rows) - len(rows)} more", style="dim"))
    return lines


def shown_rows(board: Board) -> Sequence[BoardRow]:
    """Return all rows of a board, or the best ones if there are many."""
    return board.rows if len(board.rows) <= MOST_ROWS else board.rows[:BEST_ROWS]


def _brackets(board: Board, rows: int) -> list[str]:
    groups = equal_groups(board)
    columns = [[" "] * max(rows, len(board.rows)) for _ in range(MOST_LANES)]
    for (first, last), lane in zip(groups, assign_lanes(groups), strict=True):
        if lane < MOST_LANES:
            columns[lane][first : last + 1] = "╭" + "│" * (last - first - 1) + "╰"
    return ["".join(row) for row in zip(*reversed(columns), strict=True)][:rows]


def _strip(name: BoardName, row: BoardRow, limits: tuple[float, float], width: int) -> str:
    """Draw the interval as a line, and the value as a dot on it."""
    if row.value is None or width < 1:
        return " " * width
    low, high = limits

    def column(value: float) -> int:
        return min(max(round((value - low) / (high - low) * (width - 1)), 0), width - 1)

    cells = [" "] * width
    if row.low is not None and row.high is not None:
        for i in range(column(row.low), column(row.high) + 1):
            cells[i] = "─"
    cells[column(row.value)] = "●" if row.may_lead(name) else "○"
    return "".join(cells)


def _name(label: str) -> str:
    return one_line(label)


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _fit(text: str, width: int) -> str:
    """Pad or cut a name to a number of columns."""
    from rich.cells import set_cell_size

    return (
        set_cell_size(text, width)
        if _cells(text) <= width
        else f"{set_cell_size(text, width - 1)}…"
    )
