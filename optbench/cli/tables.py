"""Tables for a terminal: words and numbers are never broken, at whatever width."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

LONGEST_WORD = 40
"""Longer words, such as paths, may be broken."""
SEPARATOR = 3
"""Columns of a terminal between two columns of a table."""
EDGES = 2
INDENT = "  "


def terminal_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], title: str, width: int
) -> RenderableType:
    """Return a table that fits a terminal; cells are folded between words.

    Where the words of all columns do not fit side by side, each row becomes a block of lines.

    Args:
        headers: Titles of the columns.
        rows: Cells.
        title: Title of the table, or nothing.
        width: Columns of the terminal.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = [headers, *rows]
    columns = [[line[i] for line in lines] for i in range(len(headers))]
    room = width - EDGES - SEPARATOR * (len(columns) - 1)
    widths = fit_widths(
        [max(map(len, column)) for column in columns],
        [min(max(map(_longest_word, column)), LONGEST_WORD) for column in columns],
        room,
    )
    if widths is None:
        return Text("\n".join(_blocks(headers, rows, title, width)))
    # `Text` keeps rich from interpreting text from plugins as markup.
    table = Table(
        title=Text(title) if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for header, column_width in zip(headers, widths, strict=True):
        table.add_column(Text(header), overflow="fold", width=column_width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def fit_widths(longest: Sequence[int], shortest: Sequence[int], room: int) -> list[int] | None:
    """Return widths of columns that fit; the widest columns are reduced first.

    Args:
        longest: Width that each column has at most.
        shortest: Width that each column needs.
        room: Sum of the widths at most.

    Returns:
        The widths; None if the columns need more room.

    Example:
        >>> fit_widths([10, 30], [4, 8], 32)
        [10, 22]
    """
    widths = list(longest)
    if sum(shortest) > room:
        return None
    while sum(widths) > room:
        reducible = [i for i in range(len(widths)) if widths[i] > shortest[i]]
        widths[max(reducible, key=widths.__getitem__)] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _blocks(
    headers: Sequence[str], rows: Sequence[Sequence[str]], title: str, width: int
) -> list[str]:
    """Return a block of lines for each row: its first cell, then a line for each other cell."""
    lines = _wrap(title, width, "") if title else []
    for row in rows:
        name = f"{headers[0]} {row[0]}" if row[0].isdigit() else row[0]
        lines += ["", *_wrap(name, width, "")]
        for header, cell in zip(headers[1:], row[1:], strict=True):
            if cell:
                lines += _wrap(f"{header}: {cell}" if header else cell, width, INDENT)
    return lines


def _wrap(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + INDENT,
        break_on_hyphens=False,
    )
