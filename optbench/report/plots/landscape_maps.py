"""Optimizers on a landscape: a map of their paths, how far down they came, and an animation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from optbench.contracts import Array
from optbench.inspection.landscapes import Ground, Path
from optbench.report.format.palette import SHADES, Look, assign_looks
from optbench.report.plots.labels import direct_label, label_ends
from optbench.report.plots.marks import dash_pattern
from optbench.report.plots.scales import set_log_axis
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet, style
from optbench.support.files import atomic_path
from optbench.support.text import count

LABEL_LETTER_INCHES = 0.082
LONGEST_LABEL = 34
"""Letters of a label: values in brackets are part of it."""
MAP_RIGHT_INCHES = 0.3
"""Margin right of the map, which needs no room for labels."""
GRID_POINTS = 400
"""Points of the grid in each direction."""
LEVELS = 18
"""Shades of the map."""
MOST_FRAMES = 40
FRAME_MILLISECONDS = 100
LAST_FRAME_MILLISECONDS = 1000
ANIMATION_DPI = 90
ANIMATION_COLOURS = 128
STAR_ZORDER = 5
"""Above lines and markers, which have 2."""
DEEPEST = 1e-8
"""Lowest height that the axis reaches, as a share of the first height."""
BEYOND = 1e-300
"""Height at which a path on the minimum is drawn: below every axis."""


def draw_paths(ground: Ground, paths: Sequence[Path]) -> Sheet:
    """Draw the map on the left, the height above the minimum by step on the right."""
    looks = assign_looks(path.label for path in paths)
    sheet = _make_sheet(ground, paths)
    for path in paths:
        _draw_path(sheet.axes[0], path.points, looks[path.label])
    _draw_heights(sheet.axes[1], ground, paths, looks)
    return sheet


def write_animation(ground: Ground, paths: Sequence[Path], target: FilePath) -> FilePath:
    """Write the paths as an animated GIF.

    The map is drawn once, and in each frame only what moves is drawn on top of it.
    """
    from PIL import Image

    with style():
        looks = assign_looks(path.label for path in paths)
        sheet = _make_sheet(ground, paths)
        sheet.figure.set_dpi(ANIMATION_DPI)
        _draw_heights(sheet.axes[1], ground, paths, looks)
        cursor = sheet.axes[1].axvline(0, color=SOFT, linewidth=0.8, animated=True)
        artists = [_draw_path(sheet.axes[0], path.points, looks[path.label]) for path in paths]
        for artist in (line for lines in artists for line in lines):
            artist.set_animated(True)
        canvas = FigureCanvasAgg(sheet.figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        still = canvas.copy_from_bbox(sheet.figure.bbox)  # type: ignore[no-untyped-call]
        last = len(paths[0].points) - 1
        frames = []
        for step in np.unique(np.linspace(0, last, MOST_FRAMES).round().astype(int)).tolist():
            canvas.restore_region(still)  # type: ignore[no-untyped-call]
            _draw_step(sheet, paths, artists, cursor, step)
            pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            picture = Image.fromarray(pixels).convert("RGB")
            frames.append(picture.quantize(ANIMATION_COLOURS))
    times = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_FRAME_MILLISECONDS]
    with atomic_path(target) as partial, partial.open("wb") as file:
        frames[0].save(
            file, format="GIF", save_all=True, append_images=frames[1:], duration=times, loop=0
        )
    return target


class _PathArtists(NamedTuple):
    """What shows a path: a white line below, the line, and a dot at its end."""

    halo: Line2D
    line: Line2D
    dot: Line2D


def _draw_step(
    sheet: Sheet,
    paths: Sequence[Path],
    artists: Sequence[_PathArtists],
    cursor: Line2D,
    step: int,
) -> None:
    """Draw the paths up to a step."""
    for path, of_path in zip(paths, artists, strict=True):
        x, y = _with_gaps(path.points[: step + 1]).T
        of_path.halo.set_data(x, y)
        of_path.line.set_data(x, y)
        of_path.dot.set_data(x[-1:], y[-1:])
        for artist in of_path:
            sheet.axes[0].draw_artist(artist)
    cursor.set_xdata([step, step])
    sheet.axes[1].draw_artist(cursor)


def _make_sheet(ground: Ground, paths: Sequence[Path]) -> Sheet:
    """Make the sheet with the map on it."""
    steps = len(paths[0].points) - 1
    right = 0.2 + LABEL_LETTER_INCHES * max(
        len(direct_label(path.label, LONGEST_LABEL)) for path in paths
    )
    sheet = make_sheet(
        f"{count(steps, 'step')} on {ground.label}",
        f"{type(ground.landscape).summary()}\nDark is low. A ring marks the start, a large "
        "mark the end, a star the minimum; where no learning rate was given, the best of a scan.",
        n=2,
        columns=2,
        width=3.6,
        height=3.0,
        right=right,
    )
    box = sheet.axes[0].get_position()
    width = box.width + (right - MAP_RIGHT_INCHES) / sheet.figure.get_figwidth()
    sheet.axes[0].set_position((box.x0, box.y0, width, box.height))
    _draw_map(sheet.axes[0], ground)
    return sheet


def _draw_map(axes: Axes, ground: Ground) -> None:
    (x_low, x_high), (y_low, y_high) = ground.landscape.span
    x, y = np.linspace(x_low, x_high, GRID_POINTS), np.linspace(y_low, y_high, GRID_POINTS)
    values = ground.values(np.stack(np.meshgrid(x, y), axis=-1))
    height = values - values.min()
    bottom = max(float(np.quantile(height, 0.002)), float(height.max()) * 1e-5)
    levels = np.geomspace(bottom, float(height.max()), LEVELS)
    shades = LinearSegmentedColormap.from_list("heights", SHADES[:4][::-1])
    bands = np.digitize(height, levels[1:-1]) / (LEVELS - 2)
    axes.imshow(
        shades(bands), extent=(x_low, x_high, y_low, y_high), origin="lower", aspect="auto"
    )  # an image: bands drawn as areas would be drawn again in each frame of an animation
    axes.contour(x, y, height, levels=levels[::2], colors="white", linewidths=0.35, alpha=0.7)
    for minimum in ground.landscape.minima:
        _draw_star(axes, minimum)
    axes.set_xlim(x_low, x_high)
    axes.set_ylim(y_low, y_high)
    axes.grid(False)
    axes.set_title("where they go")


def _draw_star(axes: Axes, minimum: tuple[float, float]) -> None:
    """Draw a minimum above the ends of the paths, which lie on it where they arrive."""
    axes.plot(
        *minimum,
        marker="*",
        markersize=8,
        color="white",
        markeredgecolor=INK,
        markeredgewidth=0.8,
        linestyle="none",
        zorder=STAR_ZORDER,
        label="minimum",
    )


def _with_gaps(points: Array) -> Array:
    """Replace points that are not finite, or far outside, by NaN, so that lines break there."""
    bounded: Array = np.where(np.isfinite(points) & (np.abs(points) < 1e6), points, np.nan)
    return bounded


def _draw_path(axes: Axes, points: Array, look: Look) -> _PathArtists:
    x, y = _with_gaps(points).T
    axes.plot(x[:1], y[:1], marker="o", markersize=6, markerfacecolor="none", color=INK)
    (halo,) = axes.plot(x, y, color="white", linewidth=2.6, alpha=0.55)
    (line,) = axes.plot(
        x,
        y,
        color=look.colour,
        linewidth=1.4,
        linestyle=dash_pattern(look),
        marker=".",
        markersize=2.5,
    )
    (dot,) = axes.plot(
        x[-1:], y[-1:], marker=look.marker, markersize=6, color=look.colour, markeredgecolor="white"
    )
    return _PathArtists(halo, line, dot)


def _draw_heights(
    axes: Axes, ground: Ground, paths: Sequence[Path], looks: dict[str, Look]
) -> None:
    floor, start = _floor_and_start(ground, paths)
    low = max(start * DEEPEST, 1e-12)
    axes.set_title("height above the minimum")
    axes.set_xlabel("step")
    steps = np.arange(len(paths[0].values))
    ends, lowest = {}, start
    for path in paths:
        height = np.nan_to_num(path.values - floor, nan=np.inf)
        look = looks[path.label]
        axes.plot(
            steps,
            np.clip(height, BEYOND, start * 1e3),
            color=look.colour,
            linestyle=dash_pattern(look),
            linewidth=1.3,
        )
        within = np.clip(height, low, start * 10)
        lowest = min(lowest, float(within.min()))
        ends[path.label] = (float(steps[-1]), float(within[-1]))
    axes.set_xlim(0, steps[-1])
    bottom = max(lowest * 0.6, low)
    set_log_axis(axes, "y", bottom, start * 12)
    if any(y <= bottom for _, y in ends.values()):
        axes.set_xlabel("step (a line that leaves the plot goes on beyond it)")
    label_ends(axes, ends, looks, most=LONGEST_LABEL)


def _floor_and_start(ground: Ground, paths: Sequence[Path]) -> tuple[float, float]:
    """Return the value from which heights are measured, and the height of the start."""
    values = np.concatenate([path.values for path in paths])
    finite = values[np.isfinite(values)]
    floor = ground.floor
    if not np.isfinite(floor):
        floor = float(finite.min()) if len(finite) else 0.0
    start = float(paths[0].values[0]) - floor
    if not 0 < start < np.inf:  # the start is the minimum, or has no finite value
        start = float((finite - floor).max(initial=0.0)) or 1.0
    return floor, start
