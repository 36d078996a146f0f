"""Names in plots: at the ends of curves where they fit, in a legend where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from optbench.report.format.palette import Look
from optbench.report.plots.figures import Sheet, linestyle

LONGEST_DIRECT = 14
"""Labels with more characters stand in a legend, not at the end of their curve."""
MOST_DIRECT = 9
LEGEND_ROW = 0.165
"""Inches from one row of a legend to the next."""
HANDLE = 0.23
"""Inches of line before a name in a legend."""
EARLY = 0.9
"""A curve that ends before this share of the axis bears its label at its end."""


def shown(label: str, limit: int = 34) -> str:
    """A label cut to fit; control characters made visible as blanks."""
    clean = "".join(c if c.isprintable() else " " for c in label)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def fits_directly(labels: Sequence[str]) -> bool:
    """Whether labels are few and short enough to stand at the ends of their curves."""
    return len(labels) <= MOST_DIRECT and max(map(len, labels), default=0) <= LONGEST_DIRECT


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions as little as needed so that neighbours are `gap` apart and within limits.

    Neighbours that are too near are pooled, and each pool is centred on the mean of what its
    members want (isotonic regression), so the result keeps the order.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    pools: list[list[float]] = []  # [mean of wanted - k * gap, size]
    for rank, i in enumerate(order):
        pools.append([wanted[i] - rank * gap, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, n), (b, m) = pools[-2], pools.pop()
            pools[-1] = [(a * n + b * m) / (n + m), n + m]
    flat = [mean for mean, size in pools for _ in range(int(size))]
    top = high - (len(wanted) - 1) * gap
    placed = [0.0] * len(wanted)
    for rank, i in enumerate(order):
        placed[i] = min(max(flat[rank], low), max(top, low)) + rank * gap
    return placed


def label_ends(
    axes: Axes, ends: dict[str, tuple[float, float]], looks: dict[str, Look], size: float = 7.5
) -> None:
    """Write each label right of the axes at the height where its curve ends.

    A curve that ends well inside, as where runs diverged, has its label there.

    Args:
        axes: limits and scales must be final.
        ends: label -> last point of its curve, in data coordinates.
        looks: label -> look.
        size: of the letters, in points.
    """
    if not ends:
        return
    labels = list(ends)
    to_axes = axes.transData + axes.transAxes.inverted()
    points = to_axes.transform(np.array([ends[k] for k in labels], dtype=float))
    early = [k for k, (x, _) in zip(labels, points, strict=True) if x < EARLY]  # drawn in order
    for label in early:
        _label_early(axes, label, ends[label], looks[label], size)
    points = points[[k not in early for k in labels]]
    labels = [k for k in labels if k not in early]
    box = axes.get_window_extent()
    inch = axes.figure.dpi
    gap = size * 1.25 / 72 * inch / box.height
    heights = spread(np.clip(points[:, 1], 0, 1).tolist(), gap, 0.02, 1.0)
    margin = 0.09 * inch / box.width
    for label, (x, y), height in zip(labels, points, heights, strict=True):
        colour = looks[label].colour
        start = min(x, 1.0)
        if abs(y - height) > gap / 4 or start < 0.995:
            line = Line2D(
                [start, 1 + margin * 0.9],
                [min(max(y, 0), 1), height],
                transform=axes.transAxes,
                color=colour,
                linewidth=0.6,
                alpha=0.55,
                clip_on=False,
            )
            axes.add_line(line)
        axes.text(
            1 + margin,
            height,
            shown(label),
            transform=axes.transAxes,
            color=colour,
            size=size,
            weight="bold",
            va="center_baseline",
        )


def _label_early(axes: Axes, label: str, end: tuple[float, float], look: Look, size: float) -> None:
    axes.annotate(
        shown(label),
        end,
        xytext=(5, 3),
        textcoords="offset points",
        color=look.colour,
        size=size,
        weight="bold",
        path_effects=[Stroke(linewidth=2.2, foreground="white"), Normal()],
    )


def legend(
    sheet: Sheet,
    labels: Sequence[str],
    looks: dict[str, Look],
    *,
    markers: bool = False,
    lift: float = 0.0,
) -> None:
    """A legend in rows above the axes, for labels too long or too many to stand at their curves.

    It is a grid of inches: a legend of matplotlib's own measures every name several times.

    Args:
        sheet: has the room that `legend_shape` asks for.
        labels: fill one column after the other.
        looks: label -> look.
        markers: show the shapes of points instead of lines.
        lift: inches between it and where a legend usually stands.
    """
    figure = sheet.figure
    columns, height = legend_shape(labels, figure.get_figwidth())
    rows = math.ceil(len(labels) / columns)
    axes_end = max(axes.get_position().y1 for axes in sheet.axes) * figure.get_figheight()
    top = axes_end + 0.3 + lift + height - LEGEND_ROW
    for i, label in enumerate(labels):
        column, row = divmod(i, rows)
        x, y = 0.12 + column * _legend_width(labels), top - row * LEGEND_ROW
        look, middle = looks[label], x + HANDLE / 2
        mark = Line2D(
            [middle] if markers else [x, x + HANDLE],
            [y] if markers else [y, y],
            transform=figure.dpi_scale_trans,
            color=look.colour,
            linestyle="none" if markers else linestyle(look),
            marker=look.marker if markers else None,
            linewidth=1.6,
        )
        figure.add_artist(mark)
        figure.text(
            x + HANDLE + 0.08,
            y,
            shown(label),
            transform=figure.dpi_scale_trans,
            size=7.5,
            va="center_baseline",
        )


def legend_shape(labels: Sequence[str], width: float) -> tuple[int, float]:
    """Columns of a legend in a figure `width` inches wide, and the height it takes in inches."""
    columns = max(1, min(len(labels), int((width - 0.3) / _legend_width(labels))))
    return columns, LEGEND_ROW * math.ceil(len(labels) / columns) + 0.08


def _legend_width(labels: Sequence[str]) -> float:
    """Inches from one column to the next."""
    return 0.075 * max((len(shown(k)) for k in labels), default=1) + 0.52
