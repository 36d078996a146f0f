"""What tuning is worth: the expected best score after the first trials."""

from __future__ import annotations

import numpy as np

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.view_records import Budget
from optbench.report.format.palette import Look, named_labels
from optbench.report.plots.labels import (
    LABEL_LETTER_INCHES,
    add_legend,
    fits_directly,
    label_ends,
    legend_shape,
    rest_note,
)
from optbench.report.plots.marks import REST_POINTS, dash_pattern
from optbench.report.plots.scales import set_log_axis
from optbench.report.plots.sheets import Sheet, make_sheet

LEGEND_WIDTH_INCHES = 5.4
TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def mean_budgets(board: Leaderboard) -> list[Budget]:
    """Return the curves that are means over all workloads."""
    return [b for b in board.budgets if not b.workload and b.score]


def draw_tuning_curves(board: Leaderboard, looks: dict[str, Look]) -> Sheet:
    """Draw the expected best score of the first k trials, mean over workloads."""
    curves = mean_budgets(board)
    labels = named_labels((curve.label for curve in curves), looks)
    curves.sort(key=lambda curve: not looks[curve.label].is_rest)
    direct = fits_directly(labels)
    letters = max(map(len, labels), default=0) if direct else 0
    sheet = make_sheet(
        "What tuning is worth",
        "Expected score of the best of k trials on the tuning seeds, mean over workloads; not the "
        "leaderboard's score. Flat: needs no tuning." + rest_note(len(curves) - len(labels)),
        width=4.6,
        height=2.6,
        between=0.3,
        right=0.35 + LABEL_LETTER_INCHES * letters,
        legend=0 if direct else legend_shape(labels, LEGEND_WIDTH_INCHES)[1],
    )
    (axes,) = sheet.axes
    scores = np.array([score for curve in curves for score in curve.score])
    room = max(float(np.ptp(scores)) * 0.06, 0.01)
    axes.set_ylim(float(scores.min()) - room, float(scores.max()) + room)
    last = max(2, *(len(curve.score) for curve in curves))
    set_log_axis(axes, "x", 1, last)
    axes.set_xticks([k for k in TICKS if k <= last])
    for curve in curves:
        axes.plot(
            range(1, len(curve.score) + 1),
            curve.score,
            color=looks[curve.label].colour,
            linestyle=dash_pattern(looks[curve.label]),
            linewidth=REST_POINTS if looks[curve.label].is_rest else 1.6,
            marker=None if looks[curve.label].is_rest else "o",
            markersize=2.6,
            clip_on=False,
        )
    axes.set_xlabel("trials k")
    axes.set_ylabel("expected score")
    if direct:
        ends = {c.label: (len(c.score), c.score[-1]) for c in curves}
        label_ends(axes, {label: ends[label] for label in labels}, looks)
    else:
        add_legend(sheet, labels, looks)
    return sheet
