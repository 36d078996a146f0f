"""Names in plots: at the ends of curves where they fit, in a legend where they do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from optbench.report.format.palette import Look
from optbench.report.plots.marks import dash_pattern
from optbench.report.plots.sheet_fit import EDGE_INCHES
from optbench.report.plots.sheets import PANEL_TITLE_LINE_INCHES, Sheet

LONGEST_DIRECT = 14
"""Letters of a label at the end of its curve; a longer one lacks some in the middle."""
MOST_DIRECT = 11
"""More labels are listed in a legend."""
LABEL_LETTER_INCHES = 0.082
"""Width of a letter of a direct label."""
LABEL_POINTS = 7.5
LABEL_GAP_INCHES = 0.09
"""Between the end of the axes and a direct label."""
EARLY = 0.9
"""A curve that ends before this share of the axis has its label at its end."""
POINTS_PER_INCH = 72

LEGEND_ROW_INCHES = 0.165
"""From one row of a legend to the next."""
LEGEND_LINE_INCHES = 0.23
"""Length of the line before a name in a legend."""
LEGEND_LETTER_INCHES = 0.075
LEGEND_GAP_INCHES = 0.08
"""Between the line and its name, and above a legend."""
LEGEND_COLUMN_INCHES = 0.52
"""Width of a column of a legend without its letters."""
LEGEND_LIFT_INCHES = 0.3
"""From the axes to the last row of a legend."""
LEGEND_MARGIN_INCHES = 0.3
"""Width of a sheet that a legend leaves free."""


def cut_label(label: str, most: int = 34) -> str:
    """Cut a label to a number of letters; control characters become blanks."""
    clean = "".join(c if c.isprintable() else " " for c in label)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def longest(labels: Sequence[str], default: int = 0) -> int:
    """Return the number of letters of the longest label, as it is drawn."""
    return max((len(cut_label(label)) for label in labels), default=default)


def rest_note(others: int) -> str:
    """Return a sentence about the entrants in gray, for the end of a subtitle."""
    return f" Gray: the middle 80% of the other {others}." if others else ""


def direct_label(label: str, most: int = LONGEST_DIRECT) -> str:
    """Return a label with at most so many letters: a longer one lacks some in the middle.

    Example:
        >>> direct_label("schedule-free-adamw")
        'schedu…e-adamw'
    """
    clean = cut_label(label, len(label))
    if len(clean) <= most:
        return clean
    head = (most - 1) // 2
    return f"{clean[:head]}…{clean[head + 1 - most :]}"


def fits_directly(labels: Sequence[str]) -> bool:
    """Return whether labels are few enough for the ends of their curves, and told apart there."""
    return len(labels) <= MOST_DIRECT and len(set(map(direct_label, labels))) == len(set(labels))


def direct_inches(labels: Sequence[str]) -> float:
    """Return the room that labels need right of the axes; none if they do not fit there."""
    if not fits_directly(labels):
        return 0.0
    letters = max((len(direct_label(label)) for label in labels), default=0)
    return LABEL_LETTER_INCHES * letters


def legend_room(labels: Sequence[str]) -> Callable[[float], float]:
    """Return a function from the width of a sheet to the height of the legend of these labels.

    Labels that fit at their curves, unshortened, need no legend.
    """
    if not needs_legend(labels):
        return lambda _width: 0.0
    return lambda width: legend_shape(labels, width)[1]


def needs_legend(labels: Sequence[str]) -> bool:
    """Return whether a legend is needed: labels are not written at their curves, or shortened."""
    return not fits_directly(labels) or any(direct_label(k) != cut_label(k) for k in labels)


def spread_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions as little as needed, so that neighbors are `gap` apart and within limits.

    Neighbors that are too near are pooled, and each pool is centered on the mean of what its
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
    axes: Axes,
    ends: dict[str, tuple[float, float]],
    looks: dict[str, Look],
    size: float = LABEL_POINTS,
    most: int = LONGEST_DIRECT,
) -> None:
    """Write each label right of the axes, at the height where its curve ends.

    A curve that ends well inside, as where runs diverged, has its label there.

    Args:
        axes: Axes whose limits and scales are final.
        ends: Label -> last point of its curve, in data coordinates.
        looks: Label -> look.
        size: Size of the letters, in points.
        most: Letters of a label; a longer one lacks some in the middle.
    """
    if not ends:
        return
    labels = list(ends)
    to_axes = axes.transData + axes.transAxes.inverted()
    points = to_axes.transform(np.array([ends[k] for k in labels], dtype=float))
    early = [k for k, (x, _) in zip(labels, points, strict=True) if x < EARLY]  # drawn in order
    for label in early:
        _label_early(axes, direct_label(label, most), ends[label], looks[label], size)
    points = points[[k not in early for k in labels]]
    labels = [k for k in labels if k not in early]
    box, inch = axes.get_window_extent(), axes.figure.dpi
    gap = size * 1.25 / POINTS_PER_INCH * inch / box.height
    heights = spread_apart(np.clip(points[:, 1], 0, 1).tolist(), gap, 0.02, 1.0)
    margin = LABEL_GAP_INCHES * inch / box.width
    for label, (x, y), height in zip(labels, points, heights, strict=True):
        colour = looks[label].colour
        if abs(y - height) > gap / 4 or min(x, 1.0) < 0.995:
            _join(axes, (min(x, 1.0), min(max(y, 0), 1)), (1 + margin * 0.9, height), colour)
        axes.text(
            1 + margin,
            height,
            direct_label(label, most),
            transform=axes.transAxes,
            color=colour,
            size=size,
            weight="bold",
            va="center_baseline",
        )


def _join(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    """Draw a thin line from the end of a curve to its label, in coordinates of the axes."""
    (x, y), (label_x, label_y) = start, end
    line = Line2D(
        [x, label_x],
        [y, label_y],
        transform=axes.transAxes,
        color=colour,
        linewidth=0.6,
        alpha=0.55,
        clip_on=False,
    )
    axes.add_line(line)


def _label_early(axes: Axes, text: str, end: tuple[float, float], look: Look, size: float) -> None:
    axes.annotate(
        text,
        end,
        xytext=(5, 3),
        textcoords="offset points",
        color=look.colour,
        size=size,
        weight="bold",
        path_effects=[Stroke(linewidth=2.2, foreground="white"), Normal()],
    )


def add_legend(
    sheet: Sheet,
    labels: Sequence[str],
    looks: dict[str, Look],
    *,
    markers: bool = False,
    lift_inches: float = 0.0,
) -> None:
    """Add a legend above the axes, for labels that do not fit at their curves.

    It is placed by inches: matplotlib's own legend measures every name several times.

    Args:
        sheet: A sheet with the room that `legend_shape` asks for.
        labels: Names, which fill one column after the other.
        looks: Label -> look.
        markers: Show the shapes of points instead of lines.
        lift_inches: Distance to where a legend usually stands.
    """
    figure = sheet.figure
    columns, height = legend_shape(labels, figure.get_figwidth())
    rows = math.ceil(len(labels) / columns)
    axes_end = max(axes.get_position().y1 for axes in sheet.axes) * figure.get_figheight()
    lines = max(axes.get_title(loc="left").count("\n") for axes in sheet.axes[: sheet.columns])
    lift_inches += LEGEND_LIFT_INCHES + PANEL_TITLE_LINE_INCHES * lines
    top = axes_end + lift_inches + height - LEGEND_ROW_INCHES
    for i, label in enumerate(labels):
        column, row = divmod(i, rows)
        x, y = EDGE_INCHES + column * _column_inches(labels), top - row * LEGEND_ROW_INCHES
        look, middle = looks[label], x + LEGEND_LINE_INCHES / 2
        mark = Line2D(
            [middle] if markers else [x, x + LEGEND_LINE_INCHES],
            [y] if markers else [y, y],
            transform=figure.dpi_scale_trans,
            color=look.colour,
            linestyle="none" if markers else dash_pattern(look),
            marker=look.marker if markers else None,
            linewidth=1.6,
        )
        figure.add_artist(mark)
        figure.text(
            x + LEGEND_LINE_INCHES + LEGEND_GAP_INCHES,
            y,
            cut_label(label),
            transform=figure.dpi_scale_trans,
            size=LABEL_POINTS,
            va="center_baseline",
        )


def legend_shape(labels: Sequence[str], width_inches: float) -> tuple[int, float]:
    """Return the columns of a legend in a sheet of this width, and its height in inches."""
    fitting = int((width_inches - LEGEND_MARGIN_INCHES) / _column_inches(labels))
    columns = max(1, min(len(labels), fitting))
    return columns, LEGEND_ROW_INCHES * math.ceil(len(labels) / columns) + LEGEND_GAP_INCHES


def _column_inches(labels: Sequence[str]) -> float:
    """Return the distance from one column of a legend to the next."""
    return LEGEND_LETTER_INCHES * longest(labels, default=1) + LEGEND_COLUMN_INCHES
