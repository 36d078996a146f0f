"""Curves, bands and points, many at once: one artist is several times faster than one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from optbench.contracts import Array
from optbench.report.format.palette import DASHES, Look

BAND_OPACITY = 0.16
REST_POINTS = 0.8
"""Width of the lines of entrants in grey."""
_DASH_PATTERNS: dict[str, Any] = dict(
    zip(DASHES, ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (5, 1.5, 1.2, 1.5))), strict=True)
)


def dash_pattern(look: Look) -> Any:
    """Return matplotlib's dash pattern of a look."""
    return _DASH_PATTERNS[look.dash]


def draw_lines(axes: Axes, curves: Sequence[tuple[Array, Array, Look]], width: float) -> None:
    """Draw x against y in each curve's look; the limits of the axes stay as they are."""
    axes.add_collection(
        LineCollection(
            [np.column_stack((x, y)) for x, y, _ in curves],
            colors=[look.colour for *_, look in curves],
            linestyles=[dash_pattern(look) for *_, look in curves],
            linewidths=[min(width, REST_POINTS) if look.is_rest else width for *_, look in curves],
            capstyle="round",
            joinstyle="round",
            zorder=2,
        ),
        autolim=False,
    )


def draw_bands(axes: Axes, bands: Sequence[tuple[Array, Array, Array, Look]]) -> None:
    """Fill between low and high along x, pale, in each band's colour."""
    outlines = []
    for x, low, high, _ in bands:
        finite = np.isfinite(low) & np.isfinite(high)
        around = np.append(x[finite], x[finite][::-1])
        outlines.append(np.column_stack((around, np.append(low[finite], high[finite][::-1]))))
    colours = [look.colour for *_, look in bands]
    axes.add_collection(
        PolyCollection(outlines, facecolors=colours, alpha=BAND_OPACITY, linewidths=0, zorder=1),
        autolim=False,
    )


def draw_points(
    axes: Axes,
    x: Array,
    y: Array,
    colours: Sequence[str],
    marker: str,
    size: float,
    **options: Any,
) -> None:
    """Draw markers of one shape; `size` in points, as for the markers of a line."""
    if len(x):
        axes.scatter(x, y, s=size**2, c=list(colours), marker=marker, zorder=2.5, **options)


def draw_rings(axes: Axes, x: Array, y: Array, colours: Sequence[str], size: float) -> None:
    """Draw empty circles, `size` points across."""
    axes.scatter(
        x, y, s=size**2, marker="o", facecolors="none", edgecolors=colours, linewidths=1.2, zorder=3
    )


def mark_diverged(axes: Axes, x: float, y: float, look: Look) -> None:
    """Draw a cross where the median run diverged."""
    axes.plot([x], [y], marker="x", markersize=5.5, markeredgewidth=1.6, color=look.colour)
