"""Output of lines, tables and JSON: rich tables in a terminal, plain columns in a pipe.

All text from plugins and stored studies is printed through this module, which treats it as plain
text: escape sequences and markup have no effect.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

from optbench.support.text import printable, printable_lines


def echo(text: str, err: bool = False) -> None:
    """Print text unchanged to stdout or stderr.

    The stream is passed explicitly because click replaces an ASCII stream by one in UTF-8.
    """
    click.echo(text, file=sys.stderr if err else sys.stdout)


def say(text: str = "") -> None:
    """Print one line to stdout."""
    echo(printable(text))


def say_prose(text: str, indent: int = 0) -> None:
    """Print sentences to stdout, as `folded` folds them."""
    echo(folded(text, indent))


def folded(text: str, indent: int = 0, err: bool = False) -> str:
    """Return sentences as one line; in a terminal, as lines that end between words.

    Args:
        text: The sentences.
        indent: Number of spaces before the second line and those that follow.
        err: Whether they are for stderr.
    """
    text = printable(text)
    if not (sys.stderr if err else sys.stdout).isatty():
        return text
    lines = textwrap.wrap(
        text,
        shutil.get_terminal_size().columns,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def say_lines(text: str) -> None:
    """Print text of several lines to stdout."""
    echo(printable_lines(text))


def remark(text: str) -> None:
    """Print one line to stderr, for messages that are not part of the result."""
    echo(printable(text), err=True)


def remark_prose(text: str) -> None:
    """Print sentences to stderr, as `folded` folds them."""
    echo(folded(text, indent=2, err=True), err=True)


def print_json(value: Any) -> None:
    """Print strictly valid JSON; infinities and NaN become null."""
    echo(json.dumps(finite(value), indent=2, default=str, allow_nan=False))


def finite(value: Any) -> Any:
    """Return the value with infinities and NaN replaced by None, for JSON."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table; in a pipe, lines are not folded, so that grep and cut work."""
    headers, title = [printable(header) for header in headers], printable(title)
    rows = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _print_plain(headers, rows, title)
        return
    from rich.console import Console

    from optbench.cli.tables import terminal_table

    console = Console()
    console.print(terminal_table(headers, rows, title, console.width))


def _print_plain(headers: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    lines = [list(headers), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    if title:
        say(title)
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say("  ".join(cells).rstrip())
