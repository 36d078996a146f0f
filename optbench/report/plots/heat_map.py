"""Heat maps of scores: named rows and columns, and a number in each cell that has room for it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from optbench.contracts import Array
from optbench.report.format.palette import SHADES
from optbench.report.plots.labels import cut_label, direct_label
from optbench.report.plots.sheet_fit import fit_columns, is_narrower_than, text_inches
from optbench.report.plots.sheets import INK, Sheet, make_sheet
from optbench.support.text import printable

NAME_LETTER_INCHES = 0.075
HEADING_POINTS = 7
"""Size of a heading, which runs upwards."""
HEADING_LINE_INCHES = 0.13
LONGEST_LINE = 30
"""Letters of a heading that is not broken."""
RIGHT_INCHES = 0.15
LEAST_WIDTH_INCHES = 2.6
"""Cells are at least this wide together on a sheet of no given width, so that the title fits."""
NUMBER_INCHES = (0.3, 0.13)
"""Width and height of a cell that has room for a number."""
NOTE_HEIGHT_INCHES = 0.35
"""Height of a cell that has room for a note below its number."""
DARK_SCORE = 0.55
"""Cells with a higher score are dark, and have white text."""


class Cells(NamedTuple):
    """What a heat map shows.

    Attributes:
        rows, columns: Names.
        scores: Score of each cell in [0, 1], shape (rows, columns); NaN if unknown.
        lost: Share of runs that diverged or failed, shape (rows, columns).
    """

    rows: Sequence[str]
    columns: Sequence[str]
    scores: Array
    lost: Array


def draw_heat_map(title: str, subtitle: str, cells: Cells, size: tuple[float, float]) -> Sheet:
    """Draw scores as shades.

    Args:
        title: Title of the sheet.
        subtitle: How to read it.
        cells: What is shown.
        size: Width and height of a cell in inches; the width is smaller in a narrow sheet.
    """
    n = len(cells.columns)
    natural = max(size[0] * n, LEAST_WIDTH_INCHES)
    names = fitting_names(cells.rows, natural + 0.3 + RIGHT_INCHES)
    left = 0.3 + NAME_LETTER_INCHES * max(map(len, names))
    _, width = fit_columns(1, natural, left + RIGHT_INCHES)
    headings = _headings(cells.columns, width / n)
    sheet = make_sheet(
        title,
        subtitle,
        width=natural,
        height=size[1] * len(names),
        left=left,
        right=RIGHT_INCHES,
        between=0.12 + headings_inches(headings),
        bottom=0.1,
    )
    (axes,) = sheet.axes
    shades = LinearSegmentedColormap.from_list("score", SHADES).with_extremes(bad="#ffffff")
    scores = np.ma.masked_invalid(cells.scores)
    axes.imshow(scores, cmap=shades, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    name_cells(axes, names, headings, size[1])
    _write_cells(axes, cells, (width / n, size[1]))
    return sheet


def headings_inches(headings: Sequence[str]) -> float:
    """Return the height of the longest line of headings, which run upwards."""
    lines = (line for text in headings for line in text.split("\n"))
    return max(text_inches(line, HEADING_POINTS) for line in lines)


def fitting_names(labels: Sequence[str], others: float) -> list[str]:
    """Return names for the left of axes: short ones if the sheet is too narrow for them.

    Args:
        labels: Labels.
        others: What the sheet needs besides, in inches.
    """
    names = [cut_label(label) for label in labels]
    if is_narrower_than(others + NAME_LETTER_INCHES * max(map(len, names))):
        names = [direct_label(label) for label in labels]
    return names


def name_cells(
    axes: Axes,
    rows: Sequence[str],
    columns: Sequence[str],
    pitch: float,
    edges: str = "white",
) -> None:
    """Write the names of the rows at the left and those of the columns on top, without a frame.

    Args:
        axes: Axes with one unit for each cell.
        rows: Names of the rows.
        columns: Names of the columns.
        pitch: Height of a row in inches.
        edges: Color of the lines between cells.
    """
    axes.grid(False)
    points = min(8.0, 72 * pitch * 0.72)
    axes.set_yticks(range(len(rows)), rows, color=INK, fontsize=points)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), columns, rotation=90, color=INK, fontsize=HEADING_POINTS)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for edge in range(1, len(columns)):
        axes.axvline(edge - 0.5, color=edges, linewidth=0.8)
    for edge in range(1, len(rows)):
        axes.axhline(edge - 0.5, color=edges, linewidth=0.8)


def _headings(names: Sequence[str], width: float) -> list[str]:
    """Return headings in as many lines as a column of this width has room for, uncut."""
    lines = max(1, int(width / HEADING_LINE_INCHES))
    most = max(LONGEST_LINE, *(math.ceil(1.15 * len(name) / lines) for name in names))
    return [
        "\n".join(textwrap.wrap(printable(name), most, break_on_hyphens=False)) or " "
        for name in names
    ]


def _write_cells(axes: Axes, cells: Cells, size: tuple[float, float]) -> None:
    """Write the score into each cell, and mark those in which runs were lost."""
    has_number = size[0] >= NUMBER_INCHES[0] and size[1] >= NUMBER_INCHES[1]
    has_note = size[1] >= NOTE_HEIGHT_INCHES
    points = min(8.0, 72 * size[1] * 0.6)
    for (i, j), score in np.ndenumerate(cells.scores):
        lost = cells.lost[i, j] > 0
        ink = "white" if score > DARK_SCORE else INK
        if has_number or np.isnan(score):
            text = "–" if np.isnan(score) else f"{score:.2f}"
            up = 0.14 if lost and has_note else 0
            axes.text(j, i - up, text, ha="center", va="center", color=ink, size=points)
        if lost and has_note:
            note = f"{cells.lost[i, j]:.0%} lost"
            axes.text(j, i + 0.24, note, ha="center", va="center", color=ink, size=5.8)
        elif lost:
            axes.plot([j + 0.4], [i - 0.3], "x", color=ink, markersize=2.6, markeredgewidth=0.8)
