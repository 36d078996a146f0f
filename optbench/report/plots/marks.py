"""Curves, bands and points, many at once: one artist is several times faster than one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from optbench.contracts import Array
from optbench.report.format.palette import DASHES, REST, Look

LINE_POINTS = 1.5
"""Width of the curve of an entrant with a name."""
BAND_OPACITY = 0.16
REST_POINTS = 0.8
"""Width of the median of entrants in gray."""
REST_BAND_OPACITY = 0.4
REST_QUANTILES = (0.1, 0.5, 0.9)
"""Lower edge, line and upper edge of the band of the entrants in gray."""
REST_POSITIONS = 64
"""Positions along the horizontal axis at which the band is computed."""
_DASH_PATTERNS: dict[str, Any] = dict(
    zip(DASHES, ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (5, 1.5, 1.2, 1.5))), strict=True)
)


def dash_pattern(look: Look) -> Any:
    """Return matplotlib's dash pattern of a look."""
    return _DASH_PATTERNS[look.dash]


def line_style(look: Look) -> dict[str, Any]:
    """Return how matplotlib draws the curve of an entrant: its color, dashes and width."""
    return {
        "color": look.colour,
        "linestyle": dash_pattern(look),
        "linewidth": LINE_POINTS,
    }


def rest_band(
    curves: Sequence[tuple[Array, Array]], x: Array, beyond: float = np.inf
) -> tuple[Array, Array, Array]:
    """Return the edges and the median of the band that stands for the entrants in gray.

    Args:
        curves: x and y of each entrant, x ascending; y is interpolated between, and NaN or infinite
            where its runs are lost.
        x: Positions at which the band is computed.
        beyond: What a lost run counts as: the worst value.

    Returns:
        Lower edge, median and upper edge at `x`, each the value of an entrant (no values between
        two entrants are made up); NaN where no entrant has a value.
    """
    if not curves:
        return (np.full(len(x), np.nan),) * 3
    rows = []
    for own_x, own_y in curves:
        y = np.where(np.isfinite(own_y), own_y, beyond)
        rows.append(_between(x, own_x, y))
    values = np.array(rows)
    absent = np.isnan(values).all(axis=0)
    values[:, absent] = 0.0
    low, mid, high = np.nanquantile(values, REST_QUANTILES, axis=0, method="closest_observation")
    low[absent] = mid[absent] = high[absent] = np.nan
    return low, mid, high


def _between(x: Array, own_x: Array, y: Array) -> Array:
    """Return y at x: interpolated in a finite piece, the worse end in another, NaN outside."""
    last = np.clip(np.searchsorted(own_x, x, side="right") - 1, 0, len(own_x) - 1)
    following = np.minimum(last + 1, len(own_x) - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (x - own_x[last]) / (own_x[following] - own_x[last])
        part = np.where(np.isfinite(part), np.clip(part, 0, 1), 0.0)
        value = y[last] + part * (y[following] - y[last])
    value = np.where(part == 0, y[last], np.where(np.isfinite(value), value, y[following]))
    inside = (x >= own_x[0] * (1 - 1e-9)) & (x <= own_x[-1] * (1 + 1e-9))
    return np.where(inside, value, np.nan)


def draw_rest(axes: Axes, x: Array, low: Array, mid: Array, high: Array) -> None:
    """Draw the band of the entrants in gray, and their median as a thin line."""
    if np.isnan(low).all():
        return
    top = axes.get_ylim()[1]
    clipped = [np.where(np.isfinite(edge), edge, top) for edge in (low, high)]
    known = ~np.isnan(low)
    axes.fill_between(
        x[known],
        clipped[0][known],
        clipped[1][known],
        color=REST,
        alpha=REST_BAND_OPACITY,
        linewidth=0,
        zorder=0.9,
        gid="rest",
    )
    axes.plot(x[known], mid[known], color=REST, linewidth=REST_POINTS, zorder=0.95)


def draw_lines(axes: Axes, curves: Sequence[tuple[Array, Array, Look]], width: float) -> None:
    """Draw x against y in each curve's look; the limits of the axes stay as they are."""
    axes.add_collection(
        LineCollection(
            [np.column_stack((x, y)) for x, y, _ in curves],
            colors=[look.colour for *_, look in curves],
            linestyles=[dash_pattern(look) for *_, look in curves],
            linewidths=width,
            capstyle="round",
            joinstyle="round",
            zorder=2,
        ),
        autolim=False,
    )


def draw_bands(axes: Axes, bands: Sequence[tuple[Array, Array, Array, Look]]) -> None:
    """Fill between low and high along x, pale, in each band's color."""
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
