"""Optimizers on a landscape: the map with their paths, how far down they came, and a film of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from optbench.contracts import Array
from optbench.inspection.landscapes import Ground, Path
from optbench.report.format.palette import Look, assign_looks
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming
from optbench.report.plots.maps import SHADES
from optbench.support.files import whole

CELLS = 400
"""Points of the grid in each direction."""
LEVELS = 18
FRAMES = 40
FRAME_MS = 100
FILM_DPI = 90


def draw_paths(ground: Ground, paths: Sequence[Path]) -> base.Sheet:
    """The map on the left, the height above the minimum by step on the right."""
    seen = assign_looks(path.label for path in paths)
    made = _sheet(ground, paths)
    _map(made.axes[0], ground)
    for path in paths:
        _path(made.axes[0], path.points, seen[path.label])
    _heights(made.axes[1], ground, paths, seen)
    return made


def film(ground: Ground, paths: Sequence[Path], target: FilePath) -> FilePath:
    """Write the paths as an animated GIF: the map is drawn once, the moving parts on top of it."""
    from PIL import Image

    with base.style():
        seen = assign_looks(path.label for path in paths)
        made = _sheet(ground, paths)
        made.figure.set_dpi(FILM_DPI)
        _map(made.axes[0], ground)
        _heights(made.axes[1], ground, paths, seen)
        cursor = made.axes[1].axvline(0, color=base.SOFT, linewidth=0.8, animated=True)
        moving = [_path(made.axes[0], path.points, seen[path.label]) for path in paths]
        for artist in (line for pair in moving for line in pair):
            artist.set_animated(True)
        canvas = FigureCanvasAgg(made.figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        still = canvas.copy_from_bbox(made.figure.bbox)  # type: ignore[no-untyped-call]
        last = len(paths[0].points) - 1
        frames = []
        for step in np.unique(np.linspace(0, last, FRAMES).round().astype(int)).tolist():
            canvas.restore_region(still)  # type: ignore[no-untyped-call]
            _show(made, paths, moving, cursor, step)
            pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            picture = Image.fromarray(pixels).convert("RGB")
            frames.append(picture.quantize(128))
    times = [FRAME_MS] * (len(frames) - 1) + [10 * FRAME_MS]
    with whole(target) as partial, partial.open("wb") as file:
        frames[0].save(
            file, format="GIF", save_all=True, append_images=frames[1:], duration=times, loop=0
        )
    return target


def _show(
    made: base.Sheet,
    paths: Sequence[Path],
    moving: Sequence[tuple[Line2D, ...]],
    cursor: Line2D,
    step: int,
) -> None:
    """Draw the paths up to a step."""
    for path, (halo, line, dot) in zip(paths, moving, strict=True):
        x, y = _inside(path.points[: step + 1]).T
        halo.set_data(x, y)
        line.set_data(x, y)
        dot.set_data(x[-1:], y[-1:])
        for artist in (halo, line, dot):
            made.axes[0].draw_artist(artist)
    cursor.set_xdata([step, step])
    made.axes[1].draw_artist(cursor)


def _sheet(ground: Ground, paths: Sequence[Path]) -> base.Sheet:
    steps = len(paths[0].points) - 1
    labels = [naming.shown(path.label) for path in paths]
    right = 0.2 + 0.07 * max(map(len, labels))
    made = base.sheet(
        f"{steps} steps on {ground.label}",
        f"{type(ground.landscape).summary()}\nDark is low. A ring marks the start, a star the "
        "minimum; where no learning rate was given, the best of a scan.",
        n=2,
        columns=2,
        width=3.6,
        height=3.0,
        right=right,
    )
    box = made.axes[0].get_position()  # the map needs no room for labels
    wide = box.width + (right - 0.3) / made.figure.get_figwidth()
    made.axes[0].set_position((box.x0, box.y0, wide, box.height))
    return made


def _map(axes: Axes, ground: Ground) -> None:
    (x_low, x_high), (y_low, y_high) = ground.landscape.span
    x, y = np.linspace(x_low, x_high, CELLS), np.linspace(y_low, y_high, CELLS)
    values = ground.values(np.stack(np.meshgrid(x, y), axis=-1))
    height = values - values.min()
    bottom = max(float(np.quantile(height, 0.002)), float(height.max()) * 1e-5)
    levels = np.geomspace(bottom, float(height.max()), LEVELS)
    shades = LinearSegmentedColormap.from_list("heights", SHADES[:4][::-1])
    bands = np.digitize(height, levels[1:-1]) / (LEVELS - 2)
    axes.imshow(
        shades(bands), extent=(x_low, x_high, y_low, y_high), origin="lower", aspect="auto"
    )  # one image: bands drawn as areas would be drawn anew in each frame of a film
    axes.contour(x, y, height, levels=levels[::2], colors="white", linewidths=0.35, alpha=0.7)
    for minimum in ground.landscape.minima:
        axes.plot(*minimum, marker="*", markersize=9, color="white", markeredgecolor=base.INK)
    axes.set_xlim(x_low, x_high)
    axes.set_ylim(y_low, y_high)
    axes.grid(False)
    axes.set_title("where they go")


def _inside(points: Array) -> Array:
    """Points with what is not finite left out, so that lines break there."""
    bounded: Array = np.where(np.isfinite(points) & (np.abs(points) < 1e6), points, np.nan)
    return bounded


def _path(axes: Axes, points: Array, look: Look) -> tuple[Line2D, ...]:
    x, y = _inside(points).T
    axes.plot(x[:1], y[:1], marker="o", markersize=6, markerfacecolor="none", color=base.INK)
    (halo,) = axes.plot(x, y, color="white", linewidth=2.6, alpha=0.55)
    (line,) = axes.plot(
        x, y, color=look.colour, linewidth=1.4, linestyle=base.linestyle(look), marker=".",
        markersize=2.5,
    )  # fmt: skip
    (dot,) = axes.plot(
        x[-1:], y[-1:], marker=look.marker, markersize=6, color=look.colour, markeredgecolor="white"
    )
    return halo, line, dot


def _heights(axes: Axes, ground: Ground, paths: Sequence[Path], seen: dict[str, Look]) -> None:
    floor = ground.floor
    known = np.concatenate([path.values for path in paths])
    known = known[np.isfinite(known)]
    floor = floor if np.isfinite(floor) else float(known.min()) if len(known) else 0.0
    start = float(paths[0].values[0]) - floor
    if not 0 < start < np.inf:  # begun at the minimum, or where there is no number
        start = float((known - floor).max(initial=0.0)) or 1.0
    low = max(start * 1e-8, 1e-12)
    axes.set_title("height above the minimum")
    axes.set_xlabel("step")
    steps = np.arange(len(paths[0].values))
    ends, lowest = {}, start
    for path in paths:
        height = np.clip(np.nan_to_num(path.values - floor, nan=np.inf), low, start * 10)
        look = seen[path.label]
        axes.plot(steps, height, color=look.colour, linestyle=base.linestyle(look), linewidth=1.3)
        lowest = min(lowest, float(height.min()))
        ends[path.label] = (float(steps[-1]), float(height[-1]))
    axes.set_xlim(0, steps[-1])
    base.log_axis(axes, "y", max(lowest * 0.6, low), start * 12)
    naming.label_ends(axes, ends, seen)
