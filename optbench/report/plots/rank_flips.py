"""Ranks in each regime; lines that cross are flips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.view_records import RegimeView
from optbench.analysis.views.regime_views import ranks_in_regimes
from optbench.report.format.palette import Look, named_labels
from optbench.report.plots.labels import (
    LABEL_LETTER_INCHES,
    LONGEST_DIRECT,
    add_legend,
    cut_label,
    label_ends,
    legend_shape,
    longest,
    rest_note,
)
from optbench.report.plots.marks import draw_lines, draw_points
from optbench.report.plots.sheets import Sheet, make_sheet

RANK_INCHES = 0.22
"""From one rank to the next."""
FEWEST_RANKS = 3
MOST_FULL_RANKS = 12
"""With more entrants, ranks are closer together, and not all are numbered."""
LEGEND_WIDTH_INCHES = 8.0
LINE_POINTS, CLEAR_LINE_POINTS = 1.1, 2.4
"""Width of a line, and of one whose flip holds beyond the spread of the seeds."""


def draw_rank_flips(
    views: Sequence[RegimeView], titles: Sequence[str], looks: dict[str, Look]
) -> Sheet:
    """Draw the rank by final validation loss in each regime, one panel for each view."""
    everyone = {row.label for view in views for row in view.rows}
    labels = named_labels(everyone, looks)
    rank_inches = RANK_INCHES * min(1.0, MOST_FULL_RANKS / len(everyone))
    direct = longest(labels) <= LONGEST_DIRECT
    sheet = make_sheet(
        "Does the winner depend on the regime?",
        "Rank by validation loss at an equal number of examples, within each regime. Lines that "
        "cross\nare flips; a thick line is part of one that holds beyond the spread of the seeds."
        + rest_note(len(everyone) - len(labels)),
        n=len(views),
        columns=3,
        width=2.2,
        height=rank_inches * max(len(everyone), FEWEST_RANKS) + 0.5,
        left=0.45,
        right=0.25 + (LABEL_LETTER_INCHES * longest(labels) if direct else 0),
        bottom=0.3,
        legend=0 if direct else legend_shape(labels, LEGEND_WIDTH_INCHES)[1],
    )
    for axes, view, title in zip(sheet.axes, views, titles, strict=True):
        axes.set_title(cut_label(title, 40))
        axes.set_ylim(len(everyone) + 0.4, 0.6)
        step = -(-len(everyone) // MOST_FULL_RANKS)
        axes.set_yticks(range(1, len(everyone) + 1, step))
        ends = _draw_panel(axes, view, looks)
        if direct:
            label_ends(axes, {label: ends[label] for label in named_labels(ends, looks)}, looks)
    if not direct:
        add_legend(sheet, labels, looks)
    return sheet


def _draw_panel(
    axes: Axes, view: RegimeView, looks: dict[str, Look]
) -> dict[str, tuple[float, float]]:
    """Draw the ranks of one view; return the ends of the lines that reach the last regime."""
    axes.set_xlim(-0.08, len(view.regimes) - 0.92)
    axes.set_xticks(range(len(view.regimes)), view.regimes)
    axes.grid(axis="y", visible=False)
    x = np.arange(len(view.regimes))
    ranks = {
        label: np.array([by_regime.get(regime, np.nan) for regime in view.regimes])
        for label, by_regime in ranks_in_regimes(view).items()
    }
    clear = {name for f in view.order_flips if f.clear for name in (f.first, f.second)}
    in_order = sorted(ranks, key=lambda label: not looks[label].is_rest)
    for is_clear, width in ((False, LINE_POINTS), (True, CLEAR_LINE_POINTS)):
        lines = [(x, ranks[k], looks[k]) for k in in_order if (k in clear) == is_clear]
        draw_lines(axes, lines, width)
    draw_points(
        axes,
        np.tile(x, len(ranks)),
        np.concatenate([ranks[label] for label in in_order]),
        [looks[label].colour for label in in_order for _ in x],
        "o",
        5,
        linewidths=0,
        clip_on=False,
    )
    last = {label: float(y[-1]) for label, y in ranks.items()}
    return {label: (x[-1] + 0.02, rank) for label, rank in last.items() if np.isfinite(rank)}
