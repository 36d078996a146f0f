"""What a sheet of a given width has room for: panels side by side, and letters in a line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from optbench.errors import ConfigError
from optbench.support.text import printable

POINTS_OF_AN_INCH = 72
EDGE_INCHES = 0.12
"""Between the left edge of a sheet and its text."""
RIGHT_EDGE_INCHES = 0.1
LEAST_AXES_INCHES = 1.0
"""Width of an axes below which fewer of them stand side by side."""
TITLE_LETTER_INCHES = 0.104
"""Width of a letter of a sheet's title, on average and a little more."""
SUBTITLE_LETTER_INCHES = 0.064
"""The same for a subtitle."""
PANEL_LETTER_INCHES = 0.083
"""The same for the title of axes."""
FEWEST_LETTERS = 12
"""A line is not broken to fewer letters."""

_width: ContextVar[float | None] = ContextVar("_width", default=None)
_bare: ContextVar[bool] = ContextVar("_bare", default=False)


@contextmanager
def sheet_width(inches: float | None) -> Iterator[None]:
    """Give the sheets that are made in this context a width; None for what their panels need."""
    token = _width.set(inches)
    try:
        yield
    finally:
        _width.reset(token)


@contextmanager
def without_head(bare: bool) -> Iterator[None]:
    """Leave title and explanation out of the sheets that are made in this context, if `bare`."""
    token = _bare.set(bare)
    try:
        yield
    finally:
        _bare.reset(token)


def is_bare() -> bool:
    """Return whether the sheets of this context have no title and no explanation."""
    return _bare.get()


def is_narrower_than(inches: float) -> bool:
    """Return whether the sheets of this context have a width, and a smaller one."""
    total = _width.get()
    return total is not None and total < inches


def fit_columns(
    columns: int, width: float, margins: float, least: float | None = None
) -> tuple[int, float]:
    """Return how many axes stand side by side on a sheet, and how wide each is, in inches.

    Args:
        columns: Most axes side by side.
        width: Width of an axes on a sheet of no given width.
        margins: Left and right of each axes together.
        least: Smallest width of an axes.

    Raises:
        ConfigError: The sheet is too narrow for a single axes.

    Example:
        >>> fit_columns(3, 2.0, 1.0)
        (3, 2.0)
        >>> with sheet_width(5.1):
        ...     fit_columns(3, 2.0, 1.0)
        (2, 1.5)
    """
    total = _width.get()
    if total is None:
        return columns, width
    least = min(width, LEAST_AXES_INCHES if least is None else least)
    for fewer in range(columns, 0, -1):
        own = (total - RIGHT_EDGE_INCHES) / fewer - margins
        if own >= least:
            return fewer, own
    needed = least + margins + RIGHT_EDGE_INCHES
    raise ConfigError(f"width {total:g} is too small for this plot: it needs {needed:.2f} inches")


def text_inches(text: str, points: float) -> float:
    """Return the width of a line of text in inches, as it is drawn.

    Args:
        text: One line.
        points: Size of its letters.
    """
    font = FontProperties(size=points)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS_OF_AN_INCH


def wrap_lines(text: str, width_inches: float, letter_inches: float) -> str:
    """Break the lines of a text again if one of them is too wide.

    Args:
        text: The text, with line breaks.
        width_inches: Width that a line may have.
        letter_inches: Width of a letter.
    """
    most = max(int(width_inches / letter_inches), FEWEST_LETTERS)
    if all(len(line) <= most for line in text.split("\n")):
        return text
    is_long = any(len(word) > most for word in text.split())  # such a word is broken at hyphens
    return "\n".join(textwrap.wrap(text, most, break_on_hyphens=is_long))


def wrap_all(titles: Sequence[str], width_inches: float, letter_inches: float) -> list[str]:
    """Return titles in lines that are at most so wide, without control characters."""
    return [wrap_lines(printable(title), width_inches, letter_inches) for title in titles]
