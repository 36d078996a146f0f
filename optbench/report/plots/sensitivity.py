"""Sensitivity curves of one swept hyperparameter, heat maps of two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.patches import Rectangle

from optbench.analysis.views.sweep_points import COVERAGE, SweepPoint, coverage
from optbench.contracts import Array, Value
from optbench.report.format.palette import Look, assign_looks
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming
from optbench.report.plots.maps import SHADES

TURNED: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
LEGIBLE = 120
"""Cells of a heat map that numbers are written into, at most."""


def draw_sweep(
    axes: Sequence[tuple[str, Sequence[Value], bool]], points: Sequence[SweepPoint], fixed: str
) -> base.Sheet:
    """The sheet of a sweep.

    Args:
        axes: name, values, and whether logarithmic, of the one or two swept hyperparameters.
        points: those that are complete.
        fixed: what stayed the same.
    """
    seeds = max((len(point.losses) for point in points), default=1)
    if len(axes) == 1:
        return _curves(axes[0], points, fixed, seeds)
    return _maps(axes[0], axes[1], points, fixed, seeds)


def _interval(seeds: int) -> str:
    if seeds < 2:
        return "One seed"
    inside = max((k for k in range((seeds + 1) // 2) if coverage(seeds, k) >= COVERAGE), default=0)
    return (
        f"Median of {seeds} seeds; the band holds the true one with probability "
        f"{coverage(seeds, inside):.0%}"
    )


def _curves(
    axis: tuple[str, Sequence[Value], bool],
    points: Sequence[SweepPoint],
    fixed: str,
    seeds: int,
) -> base.Sheet:
    name, values, logarithmic = axis
    labels = list(dict.fromkeys(point.optimizer for point in points))
    shown = {label: naming.shown(label, 24) for label in labels}
    made = base.sheet(
        f"Validation loss by {name}",
        f"{fixed}\n{_interval(seeds)}.\nA cross on top: the median run diverged.",
        width=4.6,
        height=2.9,
        bottom=0.75,
        right=0.3 + 0.085 * max(map(len, shown.values()), default=0),
    )
    (panel,) = made.axes
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    places = {v: float(v) if numeric else float(i) for i, v in enumerate(values)}
    losses = np.array([x for point in points for x in (point.median, point.low, point.high)])
    limits = base.positive_limits(losses, 0.08) or (0.1, 1.0)
    if logarithmic:
        numbers = np.array(list(places.values()))
        spread = base.positive_limits(numbers, 0.03) or (0.1, 1.0)
        base.log_axis(panel, "x", *spread)
    elif not numeric:
        texts = [naming.shown(str(v), 16) for v in values]
        turned = sum(map(len, texts)) > 60
        panel.set_xticks(range(len(values)), texts, **(TURNED if turned else {}))
        panel.set_xlim(-0.3, len(values) - 0.7)
    base.log_axis(panel, "y", *limits)
    panel.set_xlabel(name)
    panel.set_ylabel("final validation loss")
    seen, ends = assign_looks(shown.values()), {}
    for label in labels:
        mine = [point for point in points if point.optimizer == label]
        end = _curve(panel, mine, places, name, seen[shown[label]], limits, numeric)
        top = 0.97 - 0.035 * labels.index(label)  # crosses of several optimizers, side by side
        for point in mine:
            if math.isinf(point.median):
                y = limits[0] * (limits[1] / limits[0]) ** top
                base.mark_lost(panel, places[point.at[name]], y, seen[shown[label]])
        if end is not None:
            ends[shown[label]] = end
    naming.label_ends(panel, ends, seen)
    return made


def _curve(
    panel: Axes,
    points: Sequence[SweepPoint],
    places: Mapping[Value, float],
    name: str,
    look: Look,
    limits: tuple[float, float],
    ordered: bool,
) -> tuple[float, float] | None:
    x = np.array([places[point.at[name]] for point in points])
    median, low, high = (
        np.array([getattr(point, part) for point in points]) for part in ("median", "low", "high")
    )
    fine = np.isfinite(median)
    shown = np.where(fine, median, np.nan)
    if ordered:
        panel.fill_between(
            x, low, np.minimum(high, limits[1]), where=fine.tolist(), color=look.colour,
            alpha=0.15, linewidth=0,
        )  # fmt: skip
        panel.plot(
            x, shown, color=look.colour, linestyle=base.linestyle(look), marker=look.marker,
            markersize=3.5,
        )  # fmt: skip
    else:  # a line between names would say that there is something between them
        panel.vlines(
            x[fine], low[fine], np.minimum(high[fine], limits[1]), color=look.colour, linewidth=1.2
        )
        panel.plot(x, shown, color=look.colour, linestyle="", marker=look.marker, markersize=5)
    if not fine.any():
        return None
    last = int(np.flatnonzero(fine)[-1])
    return float(x[last]), float(median[last])


def _maps(
    across: tuple[str, Sequence[Value], bool],
    up: tuple[str, Sequence[Value], bool],
    points: Sequence[SweepPoint],
    fixed: str,
    seeds: int,
) -> base.Sheet:
    labels = list(dict.fromkeys(point.optimizer for point in points))
    wide, tall = len(across[1]), len(up[1])
    made = base.sheet(
        f"Validation loss by {across[0]} and {up[0]}",
        f"{fixed}\n{_interval(seeds).partition(';')[0]}. Dark is low, a frame the lowest;\n"
        "a cross: the median run diverged.",
        n=len(labels),
        columns=2,
        width=min(max(0.46 * wide, 3.2), 6.0),
        height=min(max(0.36 * tall, 1.8), 5.0),
        left=0.55 + 0.07 * max(len(_tick(v)) for v in up[1]),
        bottom=0.8,
    )
    known = np.array([point.median for point in points])
    known = known[np.isfinite(known) & (known > 0)]
    norm = LogNorm(known.min(), max(known.max(), known.min() * 1.01)) if len(known) else None
    for panel, label in zip(made.axes, labels, strict=True):
        table = np.full((tall, wide), np.nan)
        for point in points:
            if point.optimizer == label:
                i, j = up[1].index(point.at[up[0]]), across[1].index(point.at[across[0]])
                table[i, j] = point.median
        _heat(panel, table, norm)
        panel.set_title(naming.shown(label))
        texts = [_tick(v) for v in across[1]]
        turned = max(map(len, texts)) * wide > 45
        panel.set_xticks(range(wide), texts, **(TURNED if turned else {}))
        panel.set_yticks(range(tall), [_tick(v) for v in up[1]])
        panel.set_xlabel(across[0])
        panel.set_ylabel(up[0])
    return made


def _heat(panel: Axes, table: Array, norm: LogNorm | None) -> None:
    panel.grid(False)
    shades = LinearSegmentedColormap.from_list("losses", SHADES[::-1])
    panel.imshow(
        np.where(np.isfinite(table), table, np.nan), cmap=shades, norm=norm, origin="lower",
        aspect="auto",
    )  # fmt: skip
    for (i, j), loss in np.ndenumerate(table):
        if math.isinf(loss):
            panel.plot([j], [i], marker="x", color=base.SOFT, markersize=5)
        elif math.isfinite(loss) and table.size <= LEGIBLE:
            dark = norm is not None and float(norm(loss)) < 0.5
            colour = "white" if dark else base.INK
            panel.text(j, i, _number(loss), ha="center", va="center", size=6.5, color=colour)
    if np.isfinite(table).any():
        i, j = np.unravel_index(int(np.nanargmin(table)), table.shape)
        frame = Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, color="#f87507", linewidth=2)
        panel.add_patch(frame)
        frame.set_clip_on(False)


def _number(loss: float) -> str:
    return f"{loss:.2g}" if loss < 100 else base.short(float(f"{loss:.2g}"))


def _tick(value: Value) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return base.short(float(value))
    return naming.shown(str(value), 14)
