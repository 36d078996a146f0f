"""What tuning is worth: the expected best score after the first trials."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.view_records import Budget
from optbench.contracts import Array
from optbench.report.format.palette import Look, named_labels
from optbench.report.plots.labels import (
    add_legend,
    direct_inches,
    fits_directly,
    label_ends,
    legend_room,
    needs_legend,
    rest_note,
)
from optbench.report.plots.marks import draw_rest, line_style, rest_band
from optbench.report.plots.scales import set_log_axis
from optbench.report.plots.sheets import Sheet, make_sheet

TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def mean_budgets(board: Leaderboard) -> list[Budget]:
    """Return the curves that are means over all workloads."""
    return [b for b in board.budgets if not b.workload and b.score]


def draw_tuning_curves(board: Leaderboard, looks: dict[str, Look]) -> Sheet:
    """Draw the expected best score of the first k trials, mean over workloads."""
    curves = mean_budgets(board)
    labels = named_labels((curve.label for curve in curves), looks)
    sheet = make_sheet(
        "What tuning is worth",
        "Expected score of the best of k trials on the tuning seeds, mean over workloads; not the "
        "leaderboard's score. A flat curve needs no tuning." + rest_note(len(curves) - len(labels)),
        width=4.6,
        height=2.6,
        between=0.3,
        right=0.35 + direct_inches(labels),
        legend=legend_room(labels),
    )
    (axes,) = sheet.axes
    named = [curve for curve in curves if not looks[curve.label].is_rest]
    others = [_points(curve) for curve in curves if looks[curve.label].is_rest]
    last = max(2, *(len(curve.score) for curve in curves))
    trials = np.arange(1, last + 1, dtype=float)
    band = rest_band(others, trials)
    _set_axes(axes, np.concatenate([*(np.array(c.score) for c in named), *band]), last)
    draw_rest(axes, trials, *band)
    for curve in named:
        axes.plot(
            *_points(curve),
            **line_style(looks[curve.label]),
            marker="o",
            markersize=2.6,
            clip_on=False,
        )
    if fits_directly(labels):
        ends = {curve.label: (len(curve.score), curve.score[-1]) for curve in named}
        label_ends(axes, {label: ends[label] for label in labels}, looks)
    if needs_legend(labels):
        add_legend(sheet, labels, looks)
    return sheet


def _set_axes(axes: Axes, scores: Array, last: int) -> None:
    """Set limits, ticks and labels for scores up to the last trial."""
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    room = max((high - low) * 0.06, 0.01)
    axes.set_ylim(low - room, high + room)
    set_log_axis(axes, "x", 1, last)
    axes.set_xticks([k for k in TICKS if k <= last])
    axes.set_xlabel("trials k")
    axes.set_ylabel("expected score")


def _points(curve: Budget) -> tuple[Array, Array]:
    return np.arange(1, len(curve.score) + 1, dtype=float), np.array(curve.score)
