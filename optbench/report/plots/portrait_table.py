"""Portraits of optimizers side by side: a cell for each property, with its value."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.patches import Rectangle

from optbench.inspection.portraits.portrait import Measured
from optbench.report.plots.labels import cut_label
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet

CELL_WIDTH_INCHES = 1.05
CELL_HEIGHT_INCHES = 0.3
CRITERION_WIDTH_INCHES = 1.35
GOOD, BAD, PLAIN = "#cfe8d5", "#f3d3cd", "#f2f4f6"
"""Fill of a cell that meets its criterion, of one that does not, and of one that has none."""
FILLS = {True: GOOD, False: BAD, None: PLAIN}
SIGNS = {True: "✓ ", False: "✗ ", None: ""}


def draw_portraits(labels: Sequence[str], portraits: Sequence[Sequence[Measured]]) -> Sheet:
    """Draw a table of properties, with one column for each optimizer.

    Args:
        labels: Labels of the optimizers.
        portraits: Their properties, in one order.
    """
    rows = [measured.of for measured in portraits[0]]
    names = [row.name for row in rows]
    width = CELL_WIDTH_INCHES * len(labels)
    sheet = make_sheet(
        f"Portrait of {cut_label(labels[0])}",
        "✓ meets the criterion on the right, ✗ does not. Invariances: change of the path.",
        width=width,
        height=CELL_HEIGHT_INCHES * len(rows),
        left=0.35 + 0.075 * max(map(len, names)),
        right=CRITERION_WIDTH_INCHES,
        between=0.45,
        bottom=0.1,
    )
    (axes,) = sheet.axes
    axes.set_xlim(0, len(labels))
    axes.set_ylim(len(rows), 0)
    axes.grid(False)
    axes.set_yticks([row + 0.5 for row in range(len(rows))], names, color=INK)
    axes.xaxis.tick_top()
    headings = [cut_label(label, 18) for label in labels]
    axes.set_xticks([column + 0.5 for column in range(len(labels))], headings, color=INK)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for column, portrait in enumerate(portraits):
        for row, measured in enumerate(portrait):
            fill = FILLS[measured.passed]
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=fill, edgecolor="white", lw=2))
            text = SIGNS[measured.passed] + str(measured)
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=INK)
    for row, each in enumerate(rows):
        axes.text(len(labels) + 0.08, row + 0.5, each.criterion, va="center", color=SOFT, size=7)
    return sheet
