"""Charts with axes and a legend for notebooks, as inline SVG without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from optbench.support.html import Line

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 24, 34
LEGEND = 100
"""Width of a name in the legend."""
TICKS = 3
"""Ticks of each axis: both ends, and between them."""
FAINT = 0.25
"""Opacity of grid lines."""
_TEXT = '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}">{}</text>'
_GRID = '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="currentColor" opacity="{}"/>'
_CURVE = '<polyline fill="none" stroke-width="1.5" stroke="{}" points="{}"/>'


def log_chart_with_axes(
    lines: Sequence[Line], x: npt.NDArray[np.float64], x_name: str, y_name: str
) -> Markup:
    """Return curves over x on a logarithmic axis, with ticks, names of the axes and a legend.

    Values that are not positive and finite are left out; if none remain, the chart is empty.

    Args:
        lines: The curves, each with as many values as `x`.
        x: Positions, increasing.
        x_name: Name of the horizontal axis.
        y_name: Name of the vertical axis.

    Example:
        >>> line = Line("train", np.array([1.0, 0.1]), "#c00")
        >>> str(log_chart_with_axes([line], np.array([0.0, 5.0]), "epoch", "loss")).count("<text")
        9
    """
    shown = [line.values[np.isfinite(line.values) & (line.values > 0)] for line in lines]
    values = np.concatenate([np.empty(0), *shown])
    if not len(values) or not len(x):
        return Markup("")
    low, high = math.log(values.min()), math.log(values.max())
    if high - low < 1e-9:
        low, high = low - 0.1, high + 0.1
    first, last = float(x[0]), float(x[-1]) if x[-1] > x[0] else float(x[0]) + 1

    def across(at: float) -> float:
        return LEFT + (at - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return TOP + (high - math.log(value)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [_axis_texts(x_name, y_name)]
    parts += [
        _text(across(tick), HEIGHT - BOTTOM + 14, "middle", f"{tick:.3g}")
        for tick in np.linspace(first, last, TICKS).tolist()
    ]
    for value in np.exp(np.linspace(low, high, TICKS)).tolist():
        y = down(value)
        parts.append(Markup(_GRID).format(LEFT, y, WIDTH - RIGHT, y, FAINT))
        parts.append(_text(LEFT - 5, y + 4, "end", f"{value:.2g}"))
    for i, line in enumerate(lines):
        points = " ".join(
            f"{across(float(at)):.1f},{down(float(value)):.1f}"
            for at, value in zip(x, line.values, strict=True)
            if math.isfinite(value) and value > 0
        )
        parts.append(Markup(_CURVE).format(line.colour, points))
        right = WIDTH - RIGHT - LEGEND * (len(lines) - 1 - i)
        parts.append(_text(right, 12, "end", line.name, line.colour))
    label = escape(f"{y_name} by {x_name}: {', '.join(line.name for line in lines)}")
    svg = (
        '<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}" '
        'font-family="sans-serif" font-size="11">{}</svg>'
    )
    return Markup(svg).format(label, WIDTH, HEIGHT, WIDTH, HEIGHT, Markup("").join(parts))


def _text(x: float, y: float, anchor: str, text: str, colour: str = "currentColor") -> Markup:
    return Markup(_TEXT).format(x, y, anchor, colour, text)


def _axis_texts(x_name: str, y_name: str) -> Markup:
    below = _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, "middle", x_name)
    return below + _text(4, 12, "start", y_name)
