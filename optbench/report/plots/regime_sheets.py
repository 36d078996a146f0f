"""What the sheets of one regime share: a grid of panels, one for each workload."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.report.plots.labels import direct_inches, legend_room
from optbench.report.plots.sheets import Sheet, make_sheet

REGIME_TITLES = {
    "batch": "batch (all examples an update)",
    "mini-batch": "mini-batch",
    "sgd": "sgd (one example an update)",
}
PANEL_INCHES = (2.35, 1.95)
"""Width and height of a panel."""
SINGLE_PANEL_INCHES = (4.2, 2.8)
LEFT_INCHES = 0.7
RIGHT_INCHES = 0.2


def make_regime_sheet(
    title: str,
    subtitle: str,
    panel_titles: Sequence[str],
    labels: Sequence[str],
    *,
    columns: int,
    xlabel: str,
) -> Sheet:
    """Make a sheet with a panel of validation losses for each workload.

    Args:
        title: Title of the sheet.
        subtitle: How to read it.
        panel_titles: Title of each panel.
        labels: Entrants in any of the panels that have a name.
        columns: Most panels side by side.
        xlabel: What the horizontal axis shows.
    """
    width, height = PANEL_INCHES if len(panel_titles) > 1 else SINGLE_PANEL_INCHES
    sheet = make_sheet(
        title,
        subtitle,
        n=len(panel_titles),
        columns=columns,
        width=width,
        height=height,
        left=LEFT_INCHES,
        right=RIGHT_INCHES + direct_inches(labels),
        legend=legend_room(labels),
        titles=panel_titles,
    )
    for axes in sheet.bottom_axes:
        axes.set_xlabel(xlabel)
    for axes in sheet.left_axes:
        axes.set_ylabel("validation loss")
    return sheet
