"""Empirical distributions: the share of targets reached against the cost."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.view_records import TargetDistribution
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
from optbench.report.plots.scales import set_log_axis, set_percent_axis
from optbench.report.plots.sheets import Sheet, make_sheet
from optbench.support.text import count


def draw_target_curves(distribution: TargetDistribution, looks: dict[str, Look]) -> Sheet:
    """Draw the share of (workload, seed, target) triples that each entrant reached."""
    labels = named_labels(distribution.reached, looks)
    levels = ", ".join(f"{100 * level:g}%" for level in distribution.levels)
    most = max(distribution.triples.values())
    sheet = make_sheet(
        "Targets reached",
        f"Share of {count(most, 'triple')} of workload, seed and target whose validation loss was "
        "reached and held, against the examples seen.\n"
        f"Targets: {levels} of the way, in log loss, from guessing to the best known loss. "
        "Higher is better." + rest_note(len(distribution.reached) - len(labels)),
        width=4.6,
        height=2.8,
        between=0.2,
        left=0.7,
        right=0.3 + direct_inches(labels),
        legend=legend_room(labels),
    )
    (axes,) = sheet.axes
    _draw_curves(axes, distribution, looks)
    axes.set_xlabel("examples seen, as a share of the budget")
    axes.set_ylabel("targets reached")
    if needs_legend(labels):
        add_legend(sheet, labels, looks)
    return sheet


def _draw_curves(axes: Axes, distribution: TargetDistribution, looks: dict[str, Look]) -> None:
    cost = np.array(distribution.cost)
    set_log_axis(axes, "x", cost[0], cost[-1])
    axes.set_ylim(-0.02, 1.02)
    set_percent_axis(axes, "x")
    set_percent_axis(axes)
    reached = {label: np.array(shares) for label, shares in distribution.reached.items()}
    others = [(cost, shares) for label, shares in reached.items() if looks[label].is_rest]
    draw_rest(axes, cost, *rest_band(others, cost))
    named = {k: reached[k] for k in named_labels(reached, looks)}
    for label, shares in named.items():
        axes.plot(cost, shares, **line_style(looks[label]))
    if fits_directly(list(named)):
        label_ends(axes, {k: (cost[-1], shares[-1]) for k, shares in named.items()}, looks)
