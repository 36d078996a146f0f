"""What every static plot shares: style, sheets, axes with few ticks, saving.

Figures are made with matplotlib's object interface: no pyplot, no window, no global figure list.
The paper is always white, so that a plot reads the same on a light and on a dark page.
"""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from optbench.contracts import Array
from optbench.report.format.palette import DASHES, Look
from optbench.support.files import whole
from optbench.support.text import harmless, harmless_lines

INK = "#1b1f24"
SOFT = "#5c6670"
GRID = "#e3e7eb"
DPI = 160
LETTER = 0.064
"""Inches that a letter of a subtitle takes, on average and a little more."""
_LINESTYLES: dict[str, Any] = dict(
    zip(DASHES, ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (5, 1.5, 1.2, 1.5))), strict=True)
)
_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "text.color": INK,
    "text.parse_math": False,  # a plugin may be named $x$
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # fixed: finding a free place measures every tick anew
    "axes.labelcolor": SOFT,
    "axes.edgecolor": "#9aa3ad",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",  # looks the same everywhere, whatever fonts are there
    "svg.hashsalt": "optbench",  # the same numbers give the same bytes
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """The look of all plots, whatever the process has set; that comes back afterwards."""
    with warnings.catch_warnings(), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the font lacks it: a box is drawn
        yield


@dataclass
class Sheet:
    """A figure with a title, and a grid of axes below it (measures in inches)."""

    figure: Figure
    axes: list[Axes]
    columns: int

    def save(self, stem: Path, formats: Sequence[str]) -> list[Path]:
        """Write the figure once a format, each file complete or not at all."""
        written = []
        for form in formats:
            path = stem.with_name(f"{stem.name}.{form}")
            with whole(path) as partial:
                self.write(partial, form)
            written.append(path)
        return written

    def write(self, file: Path | IO[bytes], form: str) -> None:
        """Write the figure to an open file or a path: the same bytes for the same numbers."""
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
        fast: dict[str, Any] = {"pil_kwargs": {"compress_level": 2}} if form == "png" else {}
        self.figure.savefig(file, format=form, dpi=DPI, metadata=metadata, **fast)

    def close(self) -> None:
        """Let go of the pixels: figures are full of circles, and stay until those are found."""
        FigureCanvasBase(self.figure)  # in place of the canvas that holds them


def sheet(
    title: str,
    subtitle: str = "",
    *,
    n: int = 1,
    columns: int = 3,
    width: float = 3.1,
    height: float = 2.2,
    left: float = 0.6,
    right: float = 0.2,
    bottom: float = 0.5,
    legend: float = 0.0,
    between: float = 0.42,
) -> Sheet:
    """A white sheet with `n` axes of one size.

    Args:
        title: one line, bold.
        subtitle: lines that say how to read it.
        n: number of axes.
        columns: at most this many side by side.
        width: of one axes' box without its margins.
        height: likewise.
        left: margin left of each axes.
        right: margin right of each axes (room for direct labels).
        bottom: margin below each axes.
        legend: room above the axes for a legend.
        between: room above each axes for its own title.
    """
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    total_w = columns * (left + width + right) + 0.1
    title, subtitle = harmless(title), fitted(harmless_lines(subtitle), total_w - 0.24)
    head = 0.34 + 0.165 * (subtitle.count("\n") + 1 if subtitle else 0) + legend
    total_h = head + rows * (between + height + bottom) + 0.05
    figure = Figure(figsize=(total_w, total_h), dpi=DPI)
    FigureCanvasAgg(figure)
    figure.text(0.12 / total_w, 1 - 0.1 / total_h, title, size=11, weight="bold", va="top")
    figure.text(
        0.12 / total_w,
        1 - 0.34 / total_h,
        subtitle,
        color=SOFT,
        va="top",
        linespacing=1.35,
    )
    found = []
    for i in range(n):
        row, column = divmod(i, columns)
        x = column * (left + width + right) + left
        y = total_h - head - (row + 1) * (between + height + bottom) + bottom
        found.append(figure.add_axes((x / total_w, y / total_h, width / total_w, height / total_h)))
    return Sheet(figure, found, columns)


def fitted(text: str, width: float) -> str:
    """Text with its lines broken anew where one would be wider than `width` inches."""
    most = max(int(width / LETTER), 20)
    if all(len(line) <= most for line in text.split("\n")):
        return text
    return "\n".join(textwrap.wrap(text, most))


# -- axes -------------------------------------------------------------------------------------


def short(value: float, _position: int = 0) -> str:
    """A tick: ``0.01``, ``100``, ``10k``, ``2M``, and powers of ten beyond."""
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
    """Round numbers between two positive limits, at most `most`, evenly spread in the log."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [s * 10.0**p for p in range(first, last + 1) for s in steps]
        ticks = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
        if len(ticks) <= most and (len(ticks) > 1 or steps == (1, 2, 3, 5, 7)):
            return ticks
    every = math.ceil((last - first + 1) / most)
    powers = [10.0**p for p in range(first, last + 1) if p % every == 0]
    return [t for t in powers if low * 0.999 <= t <= high * 1.001]


def log_axis(axes: Axes, which: str, low: float, high: float, most: int = 6) -> None:
    """Make an axis logarithmic between positive limits, with few round ticks and no minor ones."""
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low, high)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(short))
    axis.set_ticks(log_ticks(low, high, most))


def positive_limits(values: Array, pad: float = 0.05) -> tuple[float, float] | None:
    """Limits for a log axis around the positive finite values; None when there are none."""
    good = values[np.isfinite(values) & (values > 0)]
    if not len(good):
        return None
    low, high = math.log10(good.min()), math.log10(good.max())
    room = max((high - low) * pad, 0.02)
    return 10 ** (low - room), 10 ** (high + room)


def percent_axis(axes: Axes, which: str = "y") -> None:
    """An axis of shares from 0 to 1, in percent."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))


def say_empty(axes: Axes, text: str) -> None:
    """Write in the middle of empty axes why they are empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=SOFT)


# -- many curves and points at once: one artist is several times faster than one for each -----


def draw_lines(axes: Axes, curves: Sequence[tuple[Array, Array, Look]], width: float) -> None:
    """Draw x against y in each curve's look; the limits of the axes stay as they are."""
    axes.add_collection(
        LineCollection(
            [np.column_stack((x, y)) for x, y, _ in curves],
            colors=[look.colour for *_, look in curves],
            linestyles=[linestyle(look) for *_, look in curves],
            linewidths=width,
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
        fine = np.isfinite(low) & np.isfinite(high)
        there, back = (x[fine], low[fine]), (x[fine][::-1], high[fine][::-1])
        outlines.append(
            np.column_stack((np.append(there[0], back[0]), np.append(there[1], back[1])))
        )
    colours = [look.colour for *_, look in bands]
    axes.add_collection(
        PolyCollection(outlines, facecolors=colours, alpha=0.16, linewidths=0, zorder=1),
        autolim=False,
    )


def draw_points(
    axes: Axes, x: Array, y: Array, colours: Sequence[str], marker: str, size: float, **how: Any
) -> None:
    """Draw markers of one shape; `size` in points, as for a line's markers."""
    if len(x):
        axes.scatter(x, y, s=size**2, c=list(colours), marker=marker, zorder=2.5, **how)


def draw_rings(axes: Axes, x: Array, y: Array, colours: Sequence[str], size: float) -> None:
    """Draw empty circles, `size` points across."""
    axes.scatter(
        x, y, s=size**2, marker="o", facecolors="none", edgecolors=colours, linewidths=1.2, zorder=3
    )


def mark_lost(axes: Axes, x: float, y: float, look: Look) -> None:
    """A cross where the median run diverged."""
    axes.plot([x], [y], marker="x", markersize=5.5, markeredgewidth=1.6, color=look.colour)


def linestyle(look: Look) -> Any:
    """matplotlib's dash pattern for a look."""
    return _LINESTYLES[look.dash]
