"""Learning-rate sensitivity: the loss of every trial, one sheet for each regime."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.view_records import LearningRateCurve
from optbench.report.format.palette import Look, named_labels
from optbench.report.plots.labels import add_legend, rest_note
from optbench.report.plots.marks import draw_lines, draw_points, draw_rings
from optbench.report.plots.regime_sheets import REGIME_TITLES, make_regime_sheet
from optbench.report.plots.scales import note_empty, positive_limits, set_log_axis
from optbench.report.plots.sheets import SOFT, Sheet

CEILING = 3
"""Losses above this multiple of the initial loss are drawn at the top."""
HEADROOM = 0.12
"""Room above the highest loss, as a share of the span of losses in decades."""
CROSS_DEPTH = 0.04
"""From the top of the axes down to the crosses, as a share of that span."""


def draw_lr_sensitivity(
    regime: str,
    titles: dict[str, str],
    curves: Sequence[LearningRateCurve],
    looks: dict[str, Look],
    columns: int = 3,
) -> Sheet:
    """Draw the final validation loss of every trial against its learning rate.

    Args:
        regime: Regime that the title names.
        titles: Workload label -> title of its panel, in order.
        curves: Curves on these workloads.
        looks: Label -> look.
        columns: Most panels side by side.
    """
    everyone = {c.label for c in curves}
    labels = named_labels(everyone, looks)
    curves = sorted(curves, key=lambda curve: not looks[curve.label].is_rest)
    sheet = make_regime_sheet(
        f"Learning-rate sensitivity, {REGIME_TITLES.get(regime, regime)}",
        "Final validation loss of each tuning trial. Ring: the chosen trial. Cross at the top: "
        "diverged, or above.\nDotted line: loss before training. Points that are not joined differ "
        "in more than lr." + rest_note(len(everyone) - len(labels)),
        list(titles.values()),
        labels,
        direct=False,
        columns=columns,
        xlabel="learning rate",
    )
    for axes, workload in zip(sheet.axes, titles, strict=True):
        _draw_panel(axes, [c for c in curves if c.workload == workload], looks)
    add_legend(sheet, labels, looks)
    return sheet


def _draw_panel(axes: Axes, curves: Sequence[LearningRateCurve], looks: dict[str, Look]) -> None:
    lr = np.array([value for c in curves for value in c.lr])
    loss = np.array([value for c in curves for value in c.loss])
    start = max((c.initial_loss or 0.0 for c in curves), default=0.0)
    ceiling = CEILING * start if start else np.inf
    limits = positive_limits(np.append(loss[loss <= ceiling], start), 0.06)
    lr_limits = positive_limits(lr, 0.03)
    if limits is None or lr_limits is None:
        note_empty(axes, "every trial diverged")
        return
    low, high = limits[0], limits[1] * (limits[1] / limits[0]) ** HEADROOM
    set_log_axis(axes, "y", low, high, most=6)
    set_log_axis(axes, "x", *lr_limits, most=5)
    if start:
        axes.axhline(start, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)
    _draw_lines(axes, curves, looks, high)
    colours = np.array([looks[c.label].colour for c in curves for _ in c.lr])
    shown = np.isfinite(loss) & (loss <= high)
    draw_points(axes, lr[shown], loss[shown], colours[shown], "o", 2.6, linewidths=0)
    top = np.full((~shown).sum(), high / (high / low) ** CROSS_DEPTH)
    draw_points(axes, lr[~shown], top, colours[~shown], "x", 4, linewidths=1.1, clip_on=False)
    _draw_chosen(axes, curves, looks, high)


def _draw_lines(
    axes: Axes, curves: Sequence[LearningRateCurve], looks: dict[str, Look], high: float
) -> None:
    """Join the trials of each curve that differ in nothing but lr."""
    lines = []
    for curve in curves:
        lr, loss = np.array(curve.lr), np.array(curve.loss)
        shown = np.isfinite(loss) & (loss <= high)
        if curve.only_lr:
            lines.append((lr[shown], loss[shown], looks[curve.label]))
    draw_lines(axes, lines, 1.2)


def _draw_chosen(
    axes: Axes, curves: Sequence[LearningRateCurve], looks: dict[str, Look], high: float
) -> None:
    """Draw a ring around the trial of each curve that was chosen."""
    rings = []
    for curve in curves:
        lr, loss = np.array(curve.lr), np.array(curve.loss)
        shown = np.isfinite(loss) & (loss <= high)
        is_named = not looks[curve.label].is_rest
        if is_named and curve.chosen is not None and shown.any():
            distances = np.where(shown, np.abs(np.log(lr / curve.chosen)), np.inf)
            nearest = int(np.argmin(distances))
            rings.append((lr[nearest], loss[nearest], looks[curve.label].colour))
    if rings:
        x, y, edges = zip(*rings, strict=True)
        draw_rings(axes, np.array(x), np.array(y), edges, 6.5)
