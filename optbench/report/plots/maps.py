"""Critical differences, the optimizer x initializer heat map, the map of bias and variance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import NullLocator

from optbench.analysis.board_rows import CriticalDifference
from optbench.analysis.view_records import BiasVariance, Matrix
from optbench.records import Workload
from optbench.report.format.palette import MARKERS, Look
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming

SHADES = ("#f3f6f9", "#a9cbe4", "#4a90c2", "#15588f", "#06294d")
"""Light to dark in one hue: order is seen without colour vision, and in print."""


def critical_difference(cd: CriticalDifference, looks: dict[str, Look]) -> base.Sheet:
    """Mean ranks on a line; a bar joins those that Nemenyi's test cannot tell apart."""
    k = len(cd.labels)
    half = (k + 1) // 2
    longest = max(map(len, map(naming.shown, cd.labels)))
    side = 0.75 + 0.095 * longest
    depth = 0.34 + 0.11 * len(cd.bars) + 0.24 * half
    made = base.sheet(
        "Critical differences",
        f"Mean rank over {cd.n} workloads, best at the left. A bar joins optimizers that Nemenyi's "
        f"test\n(α = 0.05) cannot tell apart. Friedman: χ² = {cd.chi2:.2f}, p {_p(cd.p_value)}.",
        width=4.2,
        height=depth + 0.35,
        left=side,
        right=side,
        bottom=0.1,
        between=0.25,
    )
    (axes,) = made.axes
    axes.set_axis_off()
    axes.set_xlim(1, max(k, 2))
    axes.set_ylim(depth, -0.35)
    axes.plot([1, max(k, 2)], [0, 0], color=base.INK, linewidth=1, clip_on=False)
    for tick in range(1, k + 1):
        axes.plot([tick, tick], [0, -0.06], color=base.INK, linewidth=1, clip_on=False)
        axes.text(tick, -0.09, str(tick), ha="center", va="bottom", color=base.SOFT)
    shown_cd = min(cd.cd, max(k, 2) - 1)
    axes.plot([1, 1 + shown_cd], [-0.31, -0.31], color=base.SOFT, linewidth=2, clip_on=False)
    cd_text = f"CD = {cd.cd:.2f}"
    axes.text(1 + shown_cd + 0.06, -0.31, cd_text, color=base.SOFT, va="center", size=7.5)
    for i, bar in enumerate(cd.bars):
        ranks = [cd.mean_ranks[cd.labels.index(label)] for label in bar]
        y = 0.13 + 0.11 * i
        pad = 0.02 * max(k, 2)
        axes.plot(
            [min(ranks) - pad, max(ranks) + pad],
            [y, y],
            color=base.INK,
            linewidth=3.4,
            solid_capstyle="round",
            clip_on=False,
        )
    span = max(k, 2) - 1
    for i, (label, rank) in enumerate(zip(cd.labels, cd.mean_ranks, strict=True)):
        left = i < half
        row = i if left else k - 1 - i
        y = 0.34 + 0.11 * len(cd.bars) + 0.24 * row
        edge = 1 - 0.03 * span if left else max(k, 2) + 0.03 * span
        colour = looks[label].colour
        axes.plot([rank, rank, edge], [0, y, y], color=colour, linewidth=1.2, clip_on=False)
        axes.text(
            edge + (-0.02 if left else 0.02) * span,
            y,
            f"{naming.shown(label)}  {rank:.2f}" if left else f"{rank:.2f}  {naming.shown(label)}",
            ha="right" if left else "left",
            va="center_baseline",
            color=colour,
            weight="bold",
        )
    return made


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def heat_map(matrix: Matrix) -> base.Sheet:
    """Optimizer x initializer: the score in each cell, and how many runs diverged or failed."""
    rows, columns = len(matrix.labels), len(matrix.initializations)
    names = [naming.shown(k) for k in matrix.labels]
    tops = [naming.shown(k, 26) for k in matrix.initializations]
    made = base.sheet(
        "Optimizer × initializer",
        "Mean score; dark is good. Below it: share of runs that diverged or failed, if any.",
        width=0.72 * columns,
        height=0.42 * rows,
        left=0.35 + 0.075 * max(map(len, names)),
        right=max(0.6, 2.6 - 0.72 * columns),
        between=0.25 + 0.05 * max(map(len, tops)),
        bottom=0.1,
    )
    (axes,) = made.axes
    score = np.array([[np.nan if v is None else v for v in row] for row in matrix.score], float)
    shades = LinearSegmentedColormap.from_list("score", SHADES).with_extremes(bad="#ffffff")
    axes.imshow(np.ma.masked_invalid(score), cmap=shades, vmin=0, vmax=1, aspect="auto")
    axes.grid(False)
    axes.set_yticks(range(rows), names, color=base.INK)
    axes.xaxis.tick_top()
    axes.set_xticks(range(columns), tops, rotation=35, ha="left", color=base.INK)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for edge in range(1, columns):
        axes.axvline(edge - 0.5, color="white", linewidth=1.5)
    for edge in range(1, rows):
        axes.axhline(edge - 0.5, color="white", linewidth=1.5)
    for i in range(rows):
        for j in range(columns):
            _cell(axes, i, j, score[i, j], matrix.divergence[i][j])
    return made


def _cell(axes: Axes, i: int, j: int, score: float, lost: float | None) -> None:
    ink = "white" if score > 0.55 else base.INK
    shown = "–" if np.isnan(score) else f"{score:.2f}"
    axes.text(j, i - (0.14 if lost else 0), shown, ha="center", va="center", color=ink)
    if lost:
        note = f"{lost:.0%} lost"
        axes.text(j, i + 0.24, note, ha="center", va="center", color=ink, size=5.8)


def bias_variance(
    entries: Sequence[BiasVariance],
    workloads: dict[str, Workload],
    looks: dict[str, Look],
) -> base.Sheet:
    """Optimization gap against variance, in units of what is possible; one panel a regime.

    Args:
        entries: of all workloads.
        workloads: label -> workload.
        looks: label -> look.
    """
    regimes = [
        r for r in ("batch", "mini-batch", "sgd") if any(w.regime == r for w in workloads.values())
    ]
    datasets = sorted({w.dataset for w in workloads.values()})
    labels = sorted({e.label for e in entries})
    points: dict[str, list[tuple[float, float, str, str]]] = {r: [] for r in regimes}
    for e in entries:
        x, y = share(e, "optimization"), share(e, "variance")
        if x is not None and y is not None and e.workload in workloads:
            workload = workloads[e.workload]
            points[workload.regime].append((x, y, e.label, workload.dataset))
    columns = min(3, len(regimes))
    legends = [naming.legend_shape(k, columns * 3.1)[1] for k in (labels, datasets)]
    made = base.sheet(
        "Where the validation loss comes from",
        "Right: the optimizer left training loss on the table. Up: it generalises worse than it "
        "trains. In percent of the\nway from the initial to the reference loss; beyond 10% counts "
        "as high. Colour: optimizer; shape: dataset.",
        n=len(regimes),
        columns=3,
        width=2.3,
        height=2.1,
        left=0.6,
        legend=sum(legends),
    )
    every = [p for group in points.values() for p in group]
    limits = [
        (min([-0.05, *seen]), max([0.15, *seen]))
        for seen in ([p[0] for p in every], [p[1] for p in every])
    ]
    for axes, regime in zip(made.axes, regimes, strict=True):
        _map_panel(axes, points[regime], limits, datasets, looks)
        axes.set_title(regime)
        axes.set_xlabel("optimization gap")
    made.axes[0].set_ylabel("variance (val − train)")
    shapes = {d: Look(base.SOFT, marker=MARKERS[i % len(MARKERS)]) for i, d in enumerate(datasets)}
    dots = {k: Look(looks[k].colour, marker="o") for k in labels}
    naming.legend(made, datasets, shapes, markers=True)
    naming.legend(made, labels, dots, markers=True, lift=legends[1])
    return made


def share(entry: BiasVariance, term: str) -> float | None:
    """A term of the decomposition as a share of the way from initial to reference loss."""
    value = getattr(entry, term).value
    if value is None or not np.isfinite(value) or entry.delta <= 0:
        return None
    return float(value / (10 * entry.delta))


def _map_panel(
    axes: Axes,
    points: Sequence[tuple[float, float, str, str]],
    limits: Sequence[tuple[float, float]],
    datasets: Sequence[str],
    looks: dict[str, Look],
) -> None:
    for which, (low, high) in zip("xy", limits, strict=True):
        getattr(axes, f"set_{which}scale")("symlog", linthresh=0.1)
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_minor_locator(NullLocator())
        ticks = [t for t in (-10, -1, -0.1, 0, 0.1, 1, 10, 100) if low * 1.2 <= t <= high * 1.2]
        axis.set_ticks(ticks)
        getattr(axes, f"set_{which}lim")(low * 1.25 - 0.01, high * 1.25 + 0.01)
        base.percent_axis(axes, which)
    axes.axvline(0.1, color=base.SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.axhline(0.1, color=base.SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    for i, marker in enumerate(MARKERS):
        own = [p for p in points if datasets.index(p[3]) % len(MARKERS) == i]
        base.draw_points(
            axes,
            np.array([p[0] for p in own]),
            np.array([p[1] for p in own]),
            [looks[p[2]].colour for p in own],
            marker,
            5.5,
            edgecolors="white",
            linewidths=0.5,
        )
