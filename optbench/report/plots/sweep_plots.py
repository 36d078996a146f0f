"""The sheet of a sweep: curves over one hyperparameter, heat maps over two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.patches import Rectangle

from optbench.analysis.views.sweep_points import COVERAGE, SweepPoint, coverage
from optbench.contracts import Array, Value
from optbench.records import spell_value
from optbench.report.format.numbers import significant
from optbench.report.format.palette import SHADES, Look, assign_looks
from optbench.report.plots.labels import cut_label, label_ends
from optbench.report.plots.marks import dash_pattern, mark_diverged
from optbench.report.plots.scales import positive_limits, set_log_axis, tick_text
from optbench.report.plots.sheets import INK, SOFT, Sheet, box_inches, make_sheet

LABEL_LETTER_INCHES = 0.085
CELL_WIDTH_INCHES, CELL_HEIGHT_INCHES = 0.46, 0.36
MAP_WIDTH_INCHES = (3.2, 6.0)
"""Least and greatest width of a heat map."""
MAP_HEIGHT_INCHES = (1.8, 5.0)
TICK_LETTER_INCHES = 0.07
SPREAD = 0.9
"""Share of a horizontal axis between its first and its last value."""
LONGEST_LABEL, LONGEST_TICK = 24, 16
SHORT = (1e-4, 1e5)
"""Numbers within are written out."""
MOST_NUMBERS = 120
"""Cells of a heat map up to which numbers are written into them."""
MOST_TICK_LETTERS = 60
"""Texts of the ticks of curves with more letters in all are turned."""
MOST_TICK_LETTERS_OF_MAP = 45
TURNED: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
FRAME = "#f87507"
THICK_FRAME, THIN_FRAME = 2.2, 0.9
"""Color of the frame around the lowest loss."""
CROSS_TOP, CROSS_STEP = 0.97, 0.035
"""Height of the crosses of the first optimizer, and from one optimizer to the next, as shares."""
CAPACITY_AXES = ("layers", "neurons", "epochs", "train_size")
"""Axes along which bias turns into variance: the training loss is drawn as well."""
MOST_TRAINING_LINES = 2
"""Optimizers up to which training losses are drawn."""
LOWEST_TRAINING = 0.1
"""Lowest training loss that the axis reaches, as a share of the lowest validation loss."""
NO_LIMITS = (0.1, 1.0)
"""Limits of an axis without values."""


class SweptAxis(Protocol):
    """One swept hyperparameter."""

    @property
    def name(self) -> str:
        """Name of the hyperparameter."""

    @property
    def values(self) -> Sequence[Value]:
        """Values that it takes, in order."""

    @property
    def logarithmic(self) -> bool:
        """Whether they are drawn on a logarithmic axis."""


def draw_sweep(axes: Sequence[SweptAxis], points: Sequence[SweepPoint], fixed: str) -> Sheet:
    """Draw the sheet of a sweep.

    Args:
        axes: The one or two swept hyperparameters.
        points: Points that are complete.
        fixed: What stayed the same.
    """
    seeds = max((len(point.losses) for point in points), default=1)
    if len(axes) == 1:
        return _draw_curves(axes[0], points, f"{fixed}.\n{_meaning(seeds)}{_coverage(seeds)}")
    return _draw_maps(axes[0], axes[1], points, f"{fixed}.\n{_meaning(seeds)}")


def _meaning(seeds: int) -> str:
    return "One seed" if seeds < 2 else f"Median of {seeds} seeds"


def _coverage(seeds: int) -> str:
    if seeds < 2:
        return ""
    inside = max((k for k in range((seeds + 1) // 2) if coverage(seeds, k) >= COVERAGE), default=0)
    return f"; the band holds the true one with probability {coverage(seeds, inside):.0%}"


def _draw_curves(axis: SweptAxis, points: Sequence[SweepPoint], subtitle: str) -> Sheet:
    by_optimizer = _by_optimizer(points)
    labels = {name: cut_label(name, LONGEST_LABEL) for name in by_optimizer}
    numeric = all(_is_number(value) for value in axis.values)
    with_train = numeric and axis.name in CAPACITY_AXES and len(labels) <= MOST_TRAINING_LINES
    dotted = " Dotted: training loss, below the plot where its line ends." if with_train else ""
    sheet = make_sheet(
        f"Validation loss by {axis.name}",
        f"{subtitle}.\nA cross on top: the median run diverged.{dotted}",
        width=4.6,
        height=2.9,
        bottom=0.75,
        right=0.3 + LABEL_LETTER_INCHES * max(map(len, labels.values()), default=0),
    )
    (axes,) = sheet.axes
    places = {v: float(v) if numeric else float(i) for i, v in enumerate(axis.values)}
    losses = np.array([x for point in points for x in (point.median, point.low, point.high)])
    if with_train:
        losses = np.concatenate([losses, _training_losses_within(points, losses)])
    low, high = positive_limits(losses, 0.08) or NO_LIMITS
    _set_x_axis(axes, axis, places, numeric)
    set_log_axis(axes, "y", low, high)
    axes.set_ylabel("final validation loss")
    looks = assign_looks(labels.values())
    ends = {}
    for i, (name, own) in enumerate(by_optimizer.items()):
        look = looks[labels[name]]
        x = np.array([places[point.at[axis.name]] for point in own])
        median = _draw_curve(axes, x, own, look, high, joined=numeric)
        if with_train:
            train = np.array([point.train for point in own])
            shown = np.isfinite(train) & (train > 0)  # below the axes the line is cut off
            axes.plot(x, np.where(shown, train, np.nan), ":", color=look.colour)
        top = low * (high / low) ** (CROSS_TOP - CROSS_STEP * i)  # crosses stand side by side
        for diverged in x[np.isinf([point.median for point in own])].tolist():
            mark_diverged(axes, diverged, top, look)
        if np.isfinite(median).any():
            last = int(np.flatnonzero(np.isfinite(median))[-1])
            ends[labels[name]] = (float(x[last]), float(median[last]))
    label_ends(axes, ends, looks)
    return sheet


def _training_losses_within(points: Sequence[SweepPoint], losses: Array) -> Array:
    """Return the training losses for the limits of the axis.

    They are at least a share of the lowest validation loss.

    A training loss can fall to 1e-9; the validation losses would then be one flat line.
    """
    positive = losses[np.isfinite(losses) & (losses > 0)]
    floor = LOWEST_TRAINING * float(positive.min()) if len(positive) else 0.0
    return np.maximum([point.train for point in points], floor)


def _by_optimizer(points: Sequence[SweepPoint]) -> dict[str, list[SweepPoint]]:
    groups: dict[str, list[SweepPoint]] = {}
    for point in points:
        groups.setdefault(point.optimizer, []).append(point)
    return groups


def _set_x_axis(axes: Axes, axis: SweptAxis, places: Mapping[Value, float], numeric: bool) -> None:
    texts, label = _ticks(axis)
    axes.set_xlabel(label)
    if axis.logarithmic:
        set_log_axis(axes, "x", *(positive_limits(np.array([*places.values()]), 0.03) or NO_LIMITS))
    if numeric:
        at = np.array([*places.values()])
        if _has_room(np.log(at) if axis.logarithmic else at, texts, box_inches(axes)[0]):
            axes.set_xticks(at, texts)
    else:
        turned = sum(map(len, texts)) > MOST_TICK_LETTERS
        axes.set_xticks(range(len(texts)), texts, **(TURNED if turned else {}))
        axes.set_xlim(-0.3, len(texts) - 0.7)


def _has_room(places: Array, texts: Sequence[str], width: float) -> bool:
    """Return whether texts fit side by side at these places of an axis of this width in inches."""
    order = np.argsort(places)
    needed = TICK_LETTER_INCHES * np.array([len(text) + 1 for text in texts])[order]
    gaps = np.diff(places[order]) * (SPREAD * width / (np.ptp(places) or 1.0))
    return bool((gaps > (needed[1:] + needed[:-1]) / 2).all())


def _draw_curve(
    axes: Axes, x: Array, points: Sequence[SweepPoint], look: Look, high: float, *, joined: bool
) -> Array:
    """Draw the points of one optimizer; return their medians, NaN where not finite."""
    median, lower, upper = (
        np.array([getattr(point, part) for point in points]) for part in ("median", "low", "high")
    )
    finite = np.isfinite(median)
    median, upper = np.where(finite, median, np.nan), np.minimum(upper, high)
    style: dict[str, Any] = {"color": look.colour, "marker": look.marker}
    if joined:
        shown = finite.tolist()
        axes.fill_between(x, lower, upper, where=shown, color=look.colour, alpha=0.15, linewidth=0)
        axes.plot(x, median, linestyle=dash_pattern(look), markersize=3.5, **style)
    else:  # a line between names would suggest that there is something between them
        axes.vlines(x[finite], lower[finite], upper[finite], color=look.colour, linewidth=1.2)
        axes.plot(x, median, linestyle="", markersize=5, **style)
    return median


def _draw_maps(
    across: SweptAxis, up: SweptAxis, points: Sequence[SweepPoint], subtitle: str
) -> Sheet:
    by_optimizer = _by_optimizer(points)
    (columns, column_name), (rows, row_name) = _ticks(across), _ticks(up)
    sheet = make_sheet(
        f"Validation loss by {across.name} and {up.name}",
        f"{subtitle}. Dark is low; thick frame: the lowest,\nthin: the lowest of a row; a cross: "
        "the median run diverged.",
        n=len(by_optimizer),
        columns=2,
        width=float(np.clip(CELL_WIDTH_INCHES * len(columns), *MAP_WIDTH_INCHES)),
        height=float(np.clip(CELL_HEIGHT_INCHES * len(rows), *MAP_HEIGHT_INCHES)),
        left=0.55 + TICK_LETTER_INCHES * max(map(len, rows)),
        bottom=0.8,
    )
    medians = np.array([point.median for point in points])
    medians = medians[np.isfinite(medians) & (medians > 0)]
    low, high = (medians.min(), medians.max()) if len(medians) else (np.nan, np.nan)
    norm = LogNorm(low, max(high, low * 1.01)) if len(medians) else None
    turned = max(map(len, columns)) * len(columns) > MOST_TICK_LETTERS_OF_MAP
    for axes, (name, own) in zip(sheet.axes, by_optimizer.items(), strict=True):
        table = np.full((len(rows), len(columns)), np.nan)
        for point in own:
            i, j = up.values.index(point.at[up.name]), across.values.index(point.at[across.name])
            table[i, j] = point.median
        _draw_map(axes, table, norm)
        axes.set_title(cut_label(name))
        axes.set_xticks(range(len(columns)), columns, **(TURNED if turned else {}))
        axes.set_yticks(range(len(rows)), rows)
        axes.set_xlabel(column_name)
        axes.set_ylabel(row_name)
    return sheet


def _draw_map(axes: Axes, table: Array, norm: LogNorm | None) -> None:
    axes.grid(False)
    shades = LinearSegmentedColormap.from_list("losses", SHADES[::-1])
    finite = np.where(np.isfinite(table), table, np.nan)
    axes.imshow(finite, cmap=shades, norm=norm, origin="lower", aspect="auto")
    for (i, j), loss in np.ndenumerate(table):
        if math.isinf(loss):
            axes.plot([j], [i], marker="x", color=SOFT, markersize=5)
        elif math.isfinite(loss) and table.size <= MOST_NUMBERS:
            dark = norm is not None and float(norm(loss)) < 0.5
            colour = "white" if dark else INK
            text = significant(loss, 2) if loss < 100 else tick_text(float(f"{loss:.2g}"))
            axes.text(j, i, text, ha="center", va="center", size=6.5, color=colour)
    for i, row in enumerate(table):
        if np.isfinite(row).any() and len(table) > 1:
            _frame(axes, i, int(np.nanargmin(row)), THIN_FRAME)
    if np.isfinite(table).any():
        i, j = np.unravel_index(int(np.nanargmin(table)), table.shape)
        _frame(axes, int(i), int(j), THICK_FRAME)


def _frame(axes: Axes, row: int, column: int, width: float) -> None:
    corner = (column - 0.5, row - 0.5)
    frame = Rectangle(corner, 1, 1, fill=False, color=FRAME, linewidth=width)
    axes.add_patch(frame)
    frame.set_clip_on(False)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value_text(value: Value) -> str:
    """Return a swept value as it is given, as long as that is short."""
    if _is_number(value) and not SHORT[0] <= abs(float(value)) < SHORT[1]:
        return tick_text(float(value))
    return spell_value(value)


def _ticks(axis: SweptAxis) -> tuple[list[str], str]:
    """Return the texts of the values and of their axis.

    Of values that differ only in brackets, the texts are what the brackets hold, and the name is
    part of the axis's.
    """
    texts = [_value_text(value) for value in axis.values]
    name, bracket, _ = texts[0].partition("[")
    if bracket and len(texts) > 1 and all(text.startswith(f"{name}[") for text in texts):
        texts = [text[len(name) + 1 : -1] for text in texts]
        return [cut_label(text, LONGEST_TICK) for text in texts], f"{axis.name}: {name}"
    return [cut_label(text, LONGEST_TICK) for text in texts], axis.name
