"""White sheets with axes of one size, their style, and the one place where plots are saved.

Figures are made with matplotlib's object interface: no pyplot, no window, no global list of
figures. The paper is always white, so that a plot reads the same on a light and on a dark page.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optbench.report.plots.sheet_fit import (
    EDGE_INCHES,
    PANEL_LETTER_INCHES,
    RIGHT_EDGE_INCHES,
    SUBTITLE_LETTER_INCHES,
    TITLE_LETTER_INCHES,
    fit_columns,
    is_bare,
    sheet_width,
    without_head,
    wrap_all,
    wrap_lines,
)
from optbench.support.files import atomic_path
from optbench.support.text import printable, printable_lines

INK = "#1b1f24"
"""Color of text that is read first."""
SOFT = "#5c6670"
"""Color of text and lines that are read second."""
GRID = "#e3e7eb"
DPI = 100
"""Twice the pixels of a page that shows a sheet at a common width, and half the bytes of 160."""

TITLE_POINTS = 11
PANEL_TITLE_POINTS = 9
TITLE_TOP_INCHES = 0.1
SUBTITLE_TOP_INCHES = 0.34
"""From the top of a sheet to its subtitle, with a title of one line."""
TITLE_LINE_INCHES = 0.19
"""A further line of the title."""
SUBTITLE_LINE_INCHES = 0.165
BETWEEN_INCHES = 0.42
"""Above each axes, with a title of one line."""
PANEL_TITLE_LINE_INCHES = 0.155
"""A further line of a title of axes."""
BOTTOM_EDGE_INCHES = 0.05
BARE_TOP_INCHES = 0.05
"""Above the legend or the axes of a sheet without title and explanation."""

_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "text.color": INK,
    "text.parse_math": False,  # a plugin may be named $x$
    "axes.titlesize": PANEL_TITLE_POINTS,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # fixed: looking for a free place would measure every tick again
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
    "svg.fonttype": "path",  # looks the same on machines with other fonts
    "svg.hashsalt": "optbench",  # the same numbers give the same bytes
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the style of all plots; the settings of the process come back afterwards."""
    with warnings.catch_warnings(), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the font lacks it: a box is drawn
        yield


@dataclass
class Sheet:
    """A figure with a title, and a grid of axes below it.

    Attributes:
        figure: The whole sheet.
        axes: Its axes, row by row.
        columns: Axes side by side.
    """

    figure: Figure
    axes: list[Axes]
    columns: int

    @property
    def bottom_axes(self) -> list[Axes]:
        """Axes with no other axes below them."""
        return self.axes[-self.columns :]

    @property
    def left_axes(self) -> list[Axes]:
        """First axes of each row."""
        return self.axes[:: self.columns]

    def save(self, stem: Path, formats: Sequence[str]) -> list[Path]:
        """Write one file for each format, each complete or not at all.

        Args:
            stem: Path without the suffix.
            formats: Any of ``"png"``, ``"svg"``, ``"pdf"``.
        """
        paths = [stem.with_name(f"{stem.name}.{form}") for form in formats]
        for path, form in zip(paths, formats, strict=True):
            with atomic_path(path) as partial:
                self.write(partial, form)
        return paths

    def write(self, file: Path | IO[bytes], form: str) -> None:
        """Write the figure to an open file or a path: the same bytes for the same numbers."""
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
        with style():
            if form == "png":
                self._write_png(file)
            else:
                self.figure.savefig(file, format=form, dpi=DPI, metadata=metadata)

    def _write_png(self, file: Path | IO[bytes]) -> None:
        """Write pixels with a palette: a quarter of the size, and no difference that is seen."""
        from optbench.report.plots.png_palette import with_palette

        canvas = FigureCanvasAgg(self.figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
        with_palette(pixels).save(file, "png", optimize=True, dpi=(DPI, DPI))

    def close(self) -> None:
        """Free the pixels: figures are full of reference cycles, and would keep them for long."""
        FigureCanvasBase(self.figure)  # replaces the canvas that holds them


def draw_sheet(
    draw: Callable[[], Sheet], width: float | None = None, *, bare: bool = False
) -> Sheet:
    """Draw one sheet in the style of all plots.

    Args:
        draw: Makes the sheet.
        width: Width of the sheet in inches; by default, what its panels need.
        bare: Leave out the title of the sheet and its explanation; titles of axes stay.

    Raises:
        ConfigError: The width is too small for the sheet.
    """
    with style(), sheet_width(width), without_head(bare):
        return draw()


def write_plot(
    draw: Callable[[], Sheet], stem: Path, formats: Sequence[str], width: float | None = None
) -> list[Path]:
    """Draw one sheet and save it.

    Args:
        draw: Makes the sheet.
        stem: Path of the files without their suffix.
        formats: Any of ``"png"``, ``"svg"``, ``"pdf"``.
        width: As for `draw_sheet`.

    Returns:
        Paths of the files, one for each format.
    """
    sheet = draw_sheet(draw, width)
    paths = sheet.save(stem, formats)
    sheet.close()
    return paths


def make_sheet(
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
    legend: float | Callable[[float], float] = 0.0,
    between: float = BETWEEN_INCHES,
    titles: Sequence[str] = (),
    least: float | None = None,
) -> Sheet:
    """Make a white sheet with `n` axes of one size. Lengths are in inches.

    Within `without_head`, neither title nor subtitle is drawn, and there is no room for them.
    Within `sheet_width`, the axes are as wide as that leaves room for, and fewer stand side by
    side. No title is cut: it has as many lines as it needs.

    Args:
        title: Title of the sheet, bold.
        subtitle: Lines that say how to read the plot.
        n: Number of axes.
        columns: Most axes side by side.
        width: Of the box of one axes, without its margins.
        height: Of that box.
        left: Margin left of each axes.
        right: Margin right of each axes, with room for direct labels.
        bottom: Margin below each axes.
        legend: Room for a legend above the axes, or a function of the width of the sheet.
        between: Room above each axes for its own title of one line.
        titles: Title of each axes; empty if they have none.
        least: Smallest width of an axes in a narrow sheet; by default, that of most plots.
    """
    columns, width = fit_columns(min(columns, n), width, left + right, least)
    rows = math.ceil(n / columns)
    total = columns * (left + width + right) + RIGHT_EDGE_INCHES
    title = wrap_lines(printable(title), total - 2 * EDGE_INCHES, TITLE_LETTER_INCHES)
    subtitle = wrap_lines(
        printable_lines(subtitle), total - 2 * EDGE_INCHES, SUBTITLE_LETTER_INCHES
    )
    panel_titles = wrap_all(titles, width + right, PANEL_LETTER_INCHES)
    between += PANEL_TITLE_LINE_INCHES * max((t.count("\n") for t in panel_titles), default=0)
    top = SUBTITLE_TOP_INCHES + TITLE_LINE_INCHES * title.count("\n")
    lines = subtitle.count("\n") + 1 if subtitle else 0
    head = BARE_TOP_INCHES if is_bare() else top + SUBTITLE_LINE_INCHES * lines
    head += legend(total) if callable(legend) else legend
    sheet_height = head + rows * (between + height + bottom) + BOTTOM_EDGE_INCHES
    figure = Figure(figsize=(total, sheet_height), dpi=DPI)
    FigureCanvasAgg(figure)
    if not is_bare():
        x, y = EDGE_INCHES / total, 1 - TITLE_TOP_INCHES / sheet_height
        figure.text(x, y, title, size=TITLE_POINTS, weight="bold", va="top")
        figure.text(x, 1 - top / sheet_height, subtitle, color=SOFT, va="top", linespacing=1.35)
    axes = []
    for i in range(n):
        row, column = divmod(i, columns)
        x = column * (left + width + right) + left
        y = sheet_height - head - (row + 1) * (between + height + bottom) + bottom
        box = (x / total, y / sheet_height, width / total, height / sheet_height)
        axes.append(figure.add_axes(box))
        if panel_titles:
            axes[-1].set_title(panel_titles[i])
    return Sheet(figure, axes, columns)


def box_inches(axes: Axes) -> tuple[float, float]:
    """Return width and height of the box of axes in inches."""
    box = axes.get_window_extent()
    return float(box.width / axes.figure.dpi), float(box.height / axes.figure.dpi)
