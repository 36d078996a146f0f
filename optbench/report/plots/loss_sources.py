"""Where the validation loss comes from: optimization gap against variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from optbench.analysis.view_records import BiasVariance
from optbench.analysis.views.bias_variance import HIGH
from optbench.records import REGIMES, Workload
from optbench.report.format.loss_source_scale import (
    LINEAR_WIDTH,
    SCALE_NAME,
    UNIT,
    relative_term,
    scale_limits,
    ticks_within,
)
from optbench.report.format.palette import MARKERS, Look, named_labels
from optbench.report.plots.labels import add_legend, legend_shape
from optbench.report.plots.marks import draw_points
from optbench.report.plots.scales import set_percent_axis
from optbench.report.plots.sheets import SOFT, Sheet, make_sheet

PANEL_INCHES = 2.3


class _Point(NamedTuple):
    gap: float
    variance: float
    label: str
    dataset: str


def draw_loss_sources(
    entries: Sequence[BiasVariance], workloads: dict[str, Workload], looks: dict[str, Look]
) -> Sheet:
    """Draw the gap against the variance in units of what is possible, one panel for each regime.

    Args:
        entries: Decompositions on all workloads.
        workloads: Label -> workload.
        looks: Label -> look.
    """
    regimes = [r for r in REGIMES if any(w.regime == r for w in workloads.values())]
    datasets = sorted({w.dataset for w in workloads.values()})
    everyone = {entry.label for entry in entries}
    labels = named_labels(everyone, looks)
    others = len(everyone) - len(labels)
    points = _points(entries, workloads)

    def legends(width: float) -> list[float]:
        return [legend_shape(names, width)[1] for names in (labels, datasets)]

    sheet = make_sheet(
        "Where the validation loss comes from",
        "Right: the optimizer left training loss on the table. Up: it generalizes worse than it "
        "trains.\n"
        f"In {UNIT}; beyond 10% counts as high.\n"
        f"Color: optimizer; shape: dataset. Axes: {SCALE_NAME}."
        + (f" Gray: the other {others}." if others else ""),
        n=len(regimes),
        columns=3,
        width=PANEL_INCHES,
        height=2.1,
        left=0.6,
        legend=lambda width: sum(legends(width)),
        titles=regimes,
    )
    every = [point for group in points.values() for point in group]
    limits = [scale_limits(p.gap for p in every), scale_limits(p.variance for p in every)]
    for axes, regime in zip(sheet.axes, regimes, strict=True):
        _draw_panel(axes, points.get(regime, []), limits, datasets, looks)
        axes.set_xlabel("optimization gap")
    sheet.axes[0].set_ylabel("variance (val − train)")
    shapes = {d: Look(SOFT, marker=MARKERS[i % len(MARKERS)]) for i, d in enumerate(datasets)}
    dots = {label: Look(looks[label].colour, marker="o") for label in labels}
    add_legend(sheet, datasets, shapes, markers=True)
    add_legend(
        sheet, labels, dots, markers=True, lift_inches=legends(sheet.figure.get_figwidth())[1]
    )
    return sheet


def _points(
    entries: Sequence[BiasVariance], workloads: dict[str, Workload]
) -> dict[str, list[_Point]]:
    """Return the points of each regime."""
    points: dict[str, list[_Point]] = {}
    for entry in entries:
        gap, variance = relative_term(entry, "optimization"), relative_term(entry, "variance")
        if gap is not None and variance is not None and entry.workload in workloads:
            workload = workloads[entry.workload]
            point = _Point(gap, variance, entry.label, workload.dataset)
            points.setdefault(workload.regime, []).append(point)
    return points


def _draw_panel(
    axes: Axes,
    points: Sequence[_Point],
    limits: Sequence[tuple[float, float]],
    datasets: Sequence[str],
    looks: dict[str, Look],
) -> None:
    for which, (low, high) in zip("xy", limits, strict=True):
        getattr(axes, f"set_{which}scale")("asinh", linear_width=LINEAR_WIDTH)
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_minor_locator(NullLocator())
        axis.set_ticks(ticks_within(low, high))
        getattr(axes, f"set_{which}lim")(low, high)
        set_percent_axis(axes, which)
    axes.axvline(HIGH, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.axhline(HIGH, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    in_order = sorted(points, key=lambda point: not looks[point.label].is_rest)
    for i, marker in enumerate(MARKERS):
        own = [p for p in in_order if datasets.index(p.dataset) % len(MARKERS) == i]
        draw_points(
            axes,
            np.array([p.gap for p in own]),
            np.array([p.variance for p in own]),
            [looks[p.label].colour for p in own],
            marker,
            5.5,
            edgecolors="white",
            linewidths=0.5,
        )
