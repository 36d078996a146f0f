"""Curves drawn with characters: sparklines for tables, and a chart in braille."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from optbench.contracts import Array
from optbench.records import Cell, RunResult
from optbench.report.format.curve_bands import band

BARS = "▁▂▃▄▅▆▇█"
CURVE_POINTS = 24
"""Number of points of a mean curve."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of a braille cell by row and column of its dots."""


def sparkline(
    values: Sequence[float] | Array,
    width: int = 12,
    *,
    limits: tuple[float, float] | None = None,
) -> str:
    """Return a line of block characters, high where the value is high; ``×`` where not finite.

    Heights are logarithmic; values of 0 and less count as the lowest positive one.

    Args:
        values: Values, resampled evenly to `width` characters.
        width: Number of characters.
        limits: Values of the lowest and of the highest bar; by default those of the line itself.

    Example:
        >>> sparkline([1.0, 0.1, 0.01], 3)
        '█▄▁'
    """
    y = np.asarray(values, dtype=float)
    if not len(y):
        return " " * width
    y = y[np.linspace(0, len(y) - 1, width).round().astype(int)]
    positive = y[np.isfinite(y) & (y > 0)]
    if not len(positive):
        return "×" * width
    y = np.where(np.isfinite(y), np.log(np.maximum(y, positive.min())), np.nan)
    low, high = (np.nanmin(y), np.nanmax(y)) if limits is None else np.log(limits)
    span = float(high - low) or 1.0
    return "".join(
        BARS[min(max(round((v - low) / span * 7 - 1e-9), 0), 7)] if math.isfinite(v) else "×"
        for v in y
    )


def curve_limits(curves: Iterable[Array]) -> tuple[float, float] | None:
    """Return the lowest value and the highest start of curves; None if no value is positive.

    A curve that rises far above its start would make all others flat; where none falls, the limit
    is the highest value.

    Example:
        >>> curve_limits([np.array([1.0, 0.2]), np.array([1.0, 70.0, 60.0])])
        (0.2, 1.0)
    """
    known = [curve for curve in curves if len(curve)]
    values = np.concatenate([np.empty(0), *known])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return None
    low, start = float(values.min()), max(float(curve[0]) for curve in known)
    return low, (start if start > low else float(values.max()))


def mean_curve(cells: Sequence[Cell], ends: Mapping[str, float] | None = None) -> Array:
    """Return the validation loss relative to its start: the geometric mean over workloads.

    All curves are resampled at the same points of the log of the examples; NaN from where the
    median run of any workload has diverged.

    Args:
        cells: Cells of one entrant.
        points: Number of points.
        ends: Label of a workload -> examples at the end of its runs, from `curve_ends`; by default
            those of the cell itself.
    """
    curves = []
    for cell in cells:
        b = band(cell.evaluation)
        if len(b.mid) < 2 or not b.mid[0] > 0:
            continue
        cost = np.log1p(b.x)
        end = np.log1p((ends or {}).get(cell.workload.label, b.x[-1])) if b.is_lost else cost[-1]
        share = np.log(np.maximum(b.mid, 1e-12)) - np.log(b.mid[0])
        curve = np.interp(np.linspace(0, 1, CURVE_POINTS) * end, cost, share, right=np.nan)
        curve[-1] = np.nan if b.is_lost else share[-1]
        curves.append(curve)
    return np.asarray(np.exp(np.mean(curves, axis=0))) if curves else np.empty(0)


def curve_ends(cells: Sequence[Cell]) -> dict[str, float]:
    """Return label of a workload -> examples at the end of the run that came furthest."""
    ends: dict[str, float] = {}
    for cell in cells:
        label = cell.workload.label
        for run in cell.evaluation:
            ends[label] = max(ends.get(label, 0.0), run.curve.last("examples"))
    return ends


def braille(
    curves: Mapping[str, tuple[Array, Array]], width: int, height: int
) -> list[list[tuple[str, str]]]:
    """Return curves as rows of (character, label of the curve on top), both axes logarithmic.

    Args:
        curves: Label -> x and y. Only points with both above 0 are drawn.
        width: Number of characters in a row; each has 2 columns of dots.
        height: Number of rows; each has 4 rows of dots.
    """
    logs = {}
    for label, (x, y) in curves.items():
        good = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0)
        if good.any():
            logs[label] = (np.log(x[good]), np.log(y[good]))
    bits = np.zeros((height, width), dtype=int)
    owner = np.full((height, width), "", dtype=object)
    if logs:
        every_x = np.concatenate([x for x, _ in logs.values()])
        every_y = np.concatenate([y for _, y in logs.values()])
        for label, (x, y) in logs.items():
            columns = _scaled(x, every_x, 2 * width - 1)
            dense = np.arange(columns[0], columns[-1] + 1)
            rows = 4 * height - 1 - _scaled(np.interp(dense, columns, y), every_y, 4 * height - 1)
            for column, row in zip(dense.tolist(), rows.tolist(), strict=True):
                bits[row // 4, column // 2] |= _DOTS[row % 4][column % 2]
                owner[row // 4, column // 2] = label
    return [
        [(chr(0x2800 + bits[i, j]) if bits[i, j] else " ", owner[i, j]) for j in range(width)]
        for i in range(height)
    ]


def _scaled(values: Array, within: Array, most: int) -> Array:
    span = float(within.max() - within.min()) or 1.0
    placed: Array = np.rint((values - within.min()) / span * most).astype(int)
    return placed


def run_curve(result: RunResult) -> tuple[Array, Array]:
    """Return examples and validation loss of one run."""
    curve = result.curve
    if "val_loss" not in curve:
        return np.empty(0), np.empty(0)
    return curve["examples"], curve["val_loss"]
