"""Convergence curves and learning-rate sensitivity: one sheet a regime, one panel a workload."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.view_records import LearningRateCurve
from optbench.report.format.curve_bands import band
from optbench.report.format.palette import Look
from optbench.report.format.panels import Panel
from optbench.report.format.workload_titles import common
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming

REGIME_TITLES = {
    "batch": "batch (all examples an update)",
    "mini-batch": "mini-batch",
    "sgd": "sgd (one example an update)",
}
LABEL_ROOM = 0.082
"""Inches that a letter of a direct label takes."""


def _sheet(
    title: str, subtitle: str, n: int, labels: Sequence[str], direct: bool, columns: int
) -> base.Sheet:
    columns = min(columns, n)
    right = 0.2 + LABEL_ROOM * max(map(len, labels), default=0) if direct else 0.2
    width = 2.35 if n > 1 else 4.2
    room = 0.0 if direct else naming.legend_shape(labels, columns * (0.6 + width + right))[1]
    return base.sheet(
        title,
        subtitle,
        n=n,
        columns=columns,
        width=width,
        height=1.95 if n > 1 else 2.8,
        right=right,
        legend=room,
    )


def convergence(
    regime: str, panels: Sequence[Panel], looks: dict[str, Look], columns: int = 3
) -> base.Sheet:
    """Validation loss against examples seen: median over seeds, band between the quartiles."""
    labels = sorted({label for panel in panels for label in panel.cells})
    direct = naming.fits_directly(labels)
    seeds = max(len(cell.evaluation) for panel in panels for cell in panel.cells.values())
    meaning = "median" + (
        f" of {seeds} seeds, band between the quartiles" if seeds > 1 else ", one seed"
    )
    made = _sheet(
        f"Convergence, {REGIME_TITLES.get(regime, regime)}",
        f"Validation loss against examples seen (gradients computed): {meaning}. Lower is better.\n"
        f"A cross: there the median run diverged. {common([p.workload for p in panels])}.",
        len(panels),
        labels,
        direct,
        columns,
    )
    for i, (axes, panel) in enumerate(zip(made.axes, panels, strict=True)):
        _convergence_panel(axes, panel, looks, direct)
        axes.set_title(naming.shown(panel.title, 60))
        if i >= len(panels) - made.columns:
            axes.set_xlabel("examples seen")
        if i % made.columns == 0:
            axes.set_ylabel("validation loss")
    if not direct:
        naming.legend(made, labels, looks)
    return made


def _convergence_panel(axes: Axes, panel: Panel, looks: dict[str, Look], direct: bool) -> None:
    bands = {label: band(cell.evaluation) for label, cell in panel.cells.items()}
    started = {k: b for k, b in bands.items() if (np.isfinite(b.mid) & (b.x > 0)).any()}
    if not started:
        base.say_empty(axes, "every run diverged at once")
        return
    x = np.concatenate([b.x[b.x > 0] for b in started.values()])
    mids = np.concatenate([b.mid[b.x > 0] for b in started.values()])
    lows = np.concatenate([np.maximum(b.low, b.mid / 5)[b.x > 0] for b in started.values()])
    limits = base.positive_limits(np.concatenate([mids, lows]))
    x_limits = base.positive_limits(x, 0.0)
    if limits is None or x_limits is None:
        base.say_empty(axes, "no positive loss to show")
        return
    base.log_axis(axes, "y", *limits, most=6)
    base.log_axis(axes, "x", *x_limits, most=5)
    drawn = [(b.x > 0, b, looks[label]) for label, b in started.items()]
    base.draw_bands(
        axes,
        [
            (b.x[keep], b.low[keep], np.minimum(b.high[keep], limits[1]), look)
            for keep, b, look in drawn
            if np.nanmax(b.high - b.low, initial=0.0) > 0
        ],
    )
    base.draw_lines(axes, [(b.x[keep], b.mid[keep], look) for keep, b, look in drawn], 1.5)
    for _, b, look in drawn:
        if np.isnan(b.mid[-1]):
            base.mark_lost(axes, *_end(b.x, b.mid), look)
    if direct:
        naming.label_ends(axes, {k: _end(b.x, b.mid) for k, b in started.items()}, looks)


def _end(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    last = np.flatnonzero(np.isfinite(y) & (y > 0) & (x > 0))[-1]
    return float(x[last]), float(y[last])


def sensitivity(
    regime: str,
    titles: dict[str, str],
    curves: Sequence[LearningRateCurve],
    looks: dict[str, Look],
    columns: int = 3,
) -> base.Sheet:
    """Final validation loss of every trial against its learning rate.

    Args:
        regime: named in the title.
        titles: workload label -> title of its panel, in order.
        curves: of these workloads.
        looks: label -> look.
        columns: panels side by side.
    """
    labels = sorted({c.label for c in curves})
    made = _sheet(
        f"Learning-rate sensitivity, {REGIME_TITLES.get(regime, regime)}",
        "Final validation loss of each tuning trial. Ring: the chosen one. Cross at the top: "
        "diverged, or above.\nDotted: loss before training. Points that are not joined differ in "
        "more than lr.",
        len(titles),
        labels,
        False,
        columns,
    )
    for i, (axes, (workload, title)) in enumerate(zip(made.axes, titles.items(), strict=True)):
        _sensitivity_panel(axes, [c for c in curves if c.workload == workload], looks)
        axes.set_title(naming.shown(title, 60))
        if i >= len(titles) - made.columns:
            axes.set_xlabel("learning rate")
        if i % made.columns == 0:
            axes.set_ylabel("validation loss")
    naming.legend(made, labels, looks)
    return made


def _sensitivity_panel(
    axes: Axes, curves: Sequence[LearningRateCurve], looks: dict[str, Look]
) -> None:
    loss = np.array([value for c in curves for value in c.loss])
    start = max((c.initial_loss or 0.0 for c in curves), default=0.0)
    ceiling = 3 * start if start else np.inf
    limits = base.positive_limits(np.append(loss[loss <= ceiling], start), 0.06)
    x_limits = base.positive_limits(np.array([lr for c in curves for lr in c.lr]), 0.03)
    if limits is None or x_limits is None:
        base.say_empty(axes, "every trial diverged")
        return
    limits = (limits[0], limits[1] * (limits[1] / limits[0]) ** 0.12)
    base.log_axis(axes, "y", *limits, most=6)
    base.log_axis(axes, "x", *x_limits, most=5)
    if start:
        axes.axhline(start, color=base.SOFT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)
    top = limits[1] / (limits[1] / limits[0]) ** 0.04
    joined, rings = [], []
    for c in curves:
        order, value = np.array(c.lr), np.array(c.loss)
        fine = np.isfinite(value) & (value <= limits[1])
        if c.only_lr:
            joined.append((order[fine], value[fine], looks[c.label]))
        if c.chosen is not None and fine.any():
            at = int(np.argmin(np.where(fine, np.abs(np.log(order / c.chosen)), np.inf)))
            rings.append((order[at], value[at], looks[c.label].colour))
    base.draw_lines(axes, joined, 1.2)
    lr = np.array([x for c in curves for x in c.lr])
    colours = np.array([looks[c.label].colour for c in curves for _ in c.lr])
    fine = np.isfinite(loss) & (loss <= limits[1])
    base.draw_points(axes, lr[fine], loss[fine], colours[fine], "o", 2.6, linewidths=0)
    lost = np.full((~fine).sum(), top)
    base.draw_points(axes, lr[~fine], lost, colours[~fine], "x", 4, linewidths=1.1, clip_on=False)
    if rings:
        x, y, edges = zip(*rings, strict=True)
        base.draw_rings(axes, np.array(x), np.array(y), edges, 6.5)
