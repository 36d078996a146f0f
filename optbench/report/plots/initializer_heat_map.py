"""Optimizer x initializer: a heat map of scores."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from optbench.analysis.view_records import Matrix
from optbench.report.format.palette import SHADES
from optbench.report.plots.labels import cut_label
from optbench.report.plots.sheets import INK, Sheet, make_sheet

CELL_WIDTH_INCHES = 0.72
CELL_HEIGHT_INCHES = 0.42
NAME_LETTER_INCHES = 0.075
HEADING_LETTER_INCHES = 0.05
"""Height that a letter of a turned heading takes."""
LONGEST_HEADING = 26
LEAST_WIDTH_INCHES = 2.6
"""Cells and right margin are at least this wide together, so that the title fits."""
DARK_SCORE = 0.55
"""Cells with a higher score are dark, and have white text."""


def draw_initializer_heat_map(matrix: Matrix) -> Sheet:
    """Draw the score in each cell, and the share of runs that diverged or failed."""
    rows, columns = len(matrix.labels), len(matrix.initializations)
    names = [cut_label(label) for label in matrix.labels]
    headings = [cut_label(name, LONGEST_HEADING) for name in matrix.initializations]
    width = CELL_WIDTH_INCHES * columns
    sheet = make_sheet(
        "Optimizer × initializer",
        "Mean score; darker is better. Below it: share of runs that diverged or failed, if any.",
        width=width,
        height=CELL_HEIGHT_INCHES * rows,
        left=0.35 + NAME_LETTER_INCHES * max(map(len, names)),
        right=max(0.6, LEAST_WIDTH_INCHES - width),
        between=0.25 + HEADING_LETTER_INCHES * max(map(len, headings)),
        bottom=0.1,
    )
    (axes,) = sheet.axes
    scores = np.array([[np.nan if v is None else v for v in row] for row in matrix.score], float)
    shades = LinearSegmentedColormap.from_list("score", SHADES).with_extremes(bad="#ffffff")
    axes.imshow(np.ma.masked_invalid(scores), cmap=shades, vmin=0, vmax=1, aspect="auto")
    axes.grid(False)
    axes.set_yticks(range(rows), names, color=INK)
    axes.xaxis.tick_top()
    axes.set_xticks(range(columns), headings, rotation=35, ha="left", color=INK)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for edge in range(1, columns):
        axes.axvline(edge - 0.5, color="white", linewidth=1.5)
    for edge in range(1, rows):
        axes.axhline(edge - 0.5, color="white", linewidth=1.5)
    for (i, j), score in np.ndenumerate(scores):
        _write_cell(axes, i, j, score, matrix.divergence[i][j])
    return sheet


def _write_cell(axes: Axes, i: int, j: int, score: float, lost: float | None) -> None:
    ink = "white" if score > DARK_SCORE else INK
    text = "–" if np.isnan(score) else f"{score:.2f}"
    axes.text(j, i - (0.14 if lost else 0), text, ha="center", va="center", color=ink)
    if lost:
        note = f"{lost:.0%} lost"
        axes.text(j, i + 0.24, note, ha="center", va="center", color=ink, size=5.8)
