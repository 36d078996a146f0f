"""Axes with few round ticks: logarithmic, in percent, or empty with a reason."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from optbench.contracts import Array
from optbench.report.format.ticks import even_ticks
from optbench.report.plots.sheets import SOFT, box_inches

TICK_TEXT_INCHES = 0.4
"""Room for the text of a tick of a horizontal axis."""
LEAST_PADDING = 0.02
"""Room beyond the values on a logarithmic axis, in decades, where all values are equal."""


def tick_text(value: float, _position: int = 0) -> str:
    """Return the text of a tick: ``0.01``, ``100``, ``10k``, ``2M``, powers of ten beyond."""
    if value == 0:
        return "0"
    size = abs(value)
    if not 1e-4 <= size < 1e9:
        power = math.floor(math.log10(size) + 1e-9)
        raised = str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
        lead = value / 10**power
        return ("" if abs(lead - 1) < 1e-9 else f"{lead:.3g}·") + f"10{raised}"
    for unit, scale in (("M", 1e6), ("k", 1e3)):
        if size >= scale:
            return f"{value / scale:.4g}{unit}"
    return f"{value:.4g}"


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return at most `most` round numbers between two positive limits, evenly spread in the log."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [s * 10.0**p for p in range(first, last + 1) for s in steps]
        ticks = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
        if 1 < len(ticks) <= most:
            return ticks
    if high < 10 * low:
        return _spread(even_ticks(low, high), most)
    powers = [10.0**p for p in range(first, last + 1)]
    powers = [t for t in powers if low * 0.999 <= t <= high * 1.001]
    if len(powers) < 2:  # two digits in a decade, or between two
        return _spread(even_ticks(low, high), most)
    return _spread(powers, most)


def _spread(ticks: list[float], most: int) -> list[float]:
    """Return at most `most` of some ticks, at equal distances, but at least two."""
    return ticks[:: math.ceil((len(ticks) - 1) / max(most - 1, 1)) or 1]


def set_log_axis(axes: Axes, which: str, low: float, high: float, most: int = 6) -> None:
    """Make an axis logarithmic between positive limits, with few round ticks and no minor ones.

    Args:
        axes: The axes.
        which: ``"x"`` or ``"y"``.
        low: Lower limit.
        high: Upper limit.
        most: Most ticks; fewer where the axis has no room for their texts side by side.
    """
    if which == "x":
        most = max(2, min(most, int(box_inches(axes)[0] / TICK_TEXT_INCHES)))
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low, high)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(tick_text))
    axis.set_ticks(log_ticks(low, high, most))


def positive_limits(values: Array, padding: float = 0.05) -> tuple[float, float] | None:
    """Return limits of a logarithmic axis around the positive finite values.

    Args:
        values: All values of the axis.
        padding: Room beyond them, as a share of their span in decades.

    Returns:
        The limits, or None if no value is positive and finite.
    """
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return None
    low, high = math.log10(positive.min()), math.log10(positive.max())
    room = max((high - low) * padding, LEAST_PADDING)
    return 10 ** (low - room), 10 ** (high + room)


def set_percent_axis(axes: Axes, which: str = "y") -> None:
    """Write the ticks of an axis of shares, from 0 to 1, in percent."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))


def note_empty(axes: Axes, text: str) -> None:
    """Write in the middle of empty axes why they are empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=SOFT)
