"""The verdicts on all pairs of a board as a matrix: better, worse, equal, open."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.path import Path

from optbench.analysis.board_records import Board
from optbench.analysis.words.board_text import TITLES, region_text, workloads_text
from optbench.contracts import Array
from optbench.report.format.board_layout import place_text, verdict_matrix
from optbench.report.plots.heat_map import (
    NAME_LETTER_INCHES,
    fitting_names,
    headings_inches,
    name_cells,
)
from optbench.report.plots.labels import cut_label
from optbench.report.plots.sheet_fit import fit_columns
from optbench.report.plots.sheets import GRID, INK, SOFT, Sheet, make_sheet

VERDICTS = "><=. "
"""Characters of `verdict_matrix`, in the order of `COLOURS`."""
COLOURS = ("#15588f", "#f6c9a4", "#cfd5da", "#ffffff", "#7d868e")
EQUALS = Path([(-1, 0.4), (1, 0.4), (-1, -0.4), (1, -0.4)], [1, 2, 1, 2])
MARKS: tuple[tuple[str | Path, str], ...] = (("^", "white"), ("v", "#7a3b00"), (EQUALS, INK))
"""Marker and color in cells of the first three verdicts: color is never the only difference."""
SIZES = ((10, 0.3), (20, 0.2))
"""Most entrants, and the size of a cell in inches; `SMALL_INCHES` with more of them."""
SMALL_INCHES = 0.14
LEAST_INCHES = 0.9
"""Width of a matrix on a narrow sheet."""
PLACE_INCHES = 1.0
"""Room for the places, and right of a matrix."""
NAME_PITCH_INCHES = 0.105
"""Width of a column that has room for a name."""
NUMBER_PITCH_INCHES = 0.2
"""Distance of two numbers above columns without names."""


def draw_pair_matrix(boards: Sequence[Board]) -> Sheet:
    """Draw the verdicts of each board.

    Args:
        boards: Boards with verdicts on the same entrants and workloads.
    """
    n = max(len(board.rows) for board in boards)
    cell = next((size for most, size in SIZES if n <= most), SMALL_INCHES)
    columns = min(2, len(boards))
    names = [_row_names(board, columns * (cell * n + PLACE_INCHES)) for board in boards]
    left = 0.25 + NAME_LETTER_INCHES * max(len(name) for each in names for name in each)
    columns, width = fit_columns(columns, cell * n, left + 0.15, LEAST_INCHES)
    has_names = width / n >= NAME_PITCH_INCHES
    labels = [cut_label(row.label) for board in boards for row in board.rows]
    above = headings_inches(labels) if has_names else 0.2
    scope = workloads_text(boards[0].statement, boards[0].regime, boards[0].workloads)
    sheet = make_sheet(
        f"Every pair, {scope}",
        "▲ the optimizer of the row is better, ▼ worse than that of the column; = equal: the "
        "difference surely lies within the region.\nWhite: open, more data is needed. Rows and "
        "columns: best first; in front, the place."
        + ("" if has_names else " Columns have the numbers of the rows."),
        n=len(boards),
        columns=columns,
        width=cell * n,
        height=cell * n,
        left=left,
        right=0.15,
        bottom=0.12,
        between=0.4 + above,
        titles=[f"{TITLES[board.name]} (equal means {region_text(board)})" for board in boards],
        least=LEAST_INCHES,
    )
    for axes, board, own in zip(sheet.axes, boards, names, strict=True):
        rows = own if has_names else [f"{text}  {i}" for i, text in enumerate(own, 1)]
        headings = (
            [cut_label(row.label) for row in board.rows]
            if has_names
            else _numbers(len(own), width / n)
        )
        _draw_board(axes, board, rows, headings, cell, min(width / n, cell))
        axes.set_title(axes.get_title(loc="left"), pad=72 * (above + 0.1))
    return sheet


def _row_names(board: Board, others: float) -> list[str]:
    names = fitting_names([row.label for row in board.rows], others)
    return [
        f"{place_text(board, row)}  {name}" for row, name in zip(board.rows, names, strict=True)
    ]


def _numbers(n: int, pitch: float) -> list[str]:
    """Return the numbers of the columns, without those that have no room."""
    every = math.ceil(NUMBER_PITCH_INCHES / pitch)
    return [str(i) if (i - 1) % every == 0 else "" for i in range(1, n + 1)]


def verdict_codes(board: Board) -> Array:
    """Return the index in `VERDICTS` for each pair of rows, shape (rows, rows)."""
    codes = np.array([[VERDICTS.index(mark) for mark in row] for row in verdict_matrix(board)])
    off_diagonal = ~np.eye(len(codes), dtype=bool)
    codes[off_diagonal & (codes == VERDICTS.index(" "))] = VERDICTS.index(".")  # nothing in common
    return codes


def _draw_board(
    axes: Axes,
    board: Board,
    rows: Sequence[str],
    headings: Sequence[str],
    pitch: float,
    mark_inches: float,
) -> None:
    codes = verdict_codes(board)
    axes.imshow(
        codes,
        cmap=ListedColormap(COLOURS),
        vmin=-0.5,
        vmax=len(COLOURS) - 0.5,
        aspect="auto",
        interpolation="nearest",
    )
    name_cells(axes, rows, headings, pitch, GRID)
    for edge in (-0.5, len(rows) - 0.5):
        axes.axvline(edge, color=SOFT, linewidth=0.8, clip_on=False)
        axes.axhline(edge, color=SOFT, linewidth=0.8, clip_on=False)
    size = 72 * mark_inches * 0.5
    for code, (marker, colour) in enumerate(MARKS):
        y, x = np.nonzero(codes == code)
        axes.scatter(x, y, s=size**2, marker=marker, c=colour, linewidths=0.9)
