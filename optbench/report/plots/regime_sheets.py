"""What the sheets of one regime share: a grid of panels, one for each workload."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.report.plots.labels import LABEL_LETTER_INCHES, cut_label, legend_shape
from optbench.report.plots.sheets import Sheet, make_sheet

REGIME_TITLES = {
    "batch": "batch (all examples an update)",
    "mini-batch": "mini-batch",
    "sgd": "sgd (one example an update)",
}
PANEL_INCHES = (2.35, 1.95)
"""Width and height of a panel."""
SINGLE_PANEL_INCHES = (4.2, 2.8)
LEFT_INCHES = 0.6
RIGHT_INCHES = 0.2
LONGEST_TITLE = 60


def make_regime_sheet(
    title: str,
    subtitle: str,
    panel_titles: Sequence[str],
    labels: Sequence[str],
    *,
    direct: bool,
    columns: int,
    xlabel: str,
) -> Sheet:
    """Make a sheet with a panel of validation losses for each workload.

    Args:
        title: Title of the sheet.
        subtitle: How to read it.
        panel_titles: Title of each panel.
        labels: Entrants in any of the panels.
        direct: Whether labels are written at their curves, not in a legend.
        columns: Most panels side by side.
        xlabel: What the horizontal axis shows.
    """
    n = len(panel_titles)
    columns = min(columns, n)
    width, height = PANEL_INCHES if n > 1 else SINGLE_PANEL_INCHES
    letters = max(map(len, labels), default=0) if direct else 0
    right = RIGHT_INCHES + LABEL_LETTER_INCHES * letters
    legend = 0.0 if direct else legend_shape(labels, columns * (LEFT_INCHES + width + right))[1]
    sheet = make_sheet(
        title,
        subtitle,
        n=n,
        columns=columns,
        width=width,
        height=height,
        left=LEFT_INCHES,
        right=right,
        legend=legend,
    )
    for axes, panel_title in zip(sheet.axes, panel_titles, strict=True):
        axes.set_title(cut_label(panel_title, LONGEST_TITLE))
    for axes in sheet.bottom_axes:
        axes.set_xlabel(xlabel)
    for axes in sheet.left_axes:
        axes.set_ylabel("validation loss")
    return sheet
