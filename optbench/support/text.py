"""Text for display: sanitizes what comes from plugins and files, and agrees words with numbers.

Text that is not printable never reaches a terminal. Control characters start escape sequences,
which can move the cursor over earlier output, and marks that change the direction of writing make a
line read differently. A character that no encoding can write would end the program.
"""

from __future__ import annotations

from collections.abc import Sequence

LINE_CHARACTERS = 1500
"""Longest line for people to read; the middle of a longer one is left out."""

_FORMULA = tuple("=+-@＝＋－＠")


def printable(text: str) -> str:
    """Return the text with a space for every character that is not printable, line breaks included.

    Example:
        >>> printable("a\\x1b[31mb\\n")
        'a [31mb '
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def printable_lines(text: str) -> str:
    """Return the text with each of its lines made printable; line breaks stay."""
    return "\n".join(printable(line) for line in text.expandtabs().splitlines())


def one_line(text: str) -> str:
    """Return the text as one printable line, with single spaces and a length that can be read.

    Example:
        >>> one_line("two\\n  lines")
        'two lines'
    """
    line = " ".join(printable(text).split())
    if len(line) <= LINE_CHARACTERS:
        return line
    return f"{line[: LINE_CHARACTERS * 2 // 3]} [...] {line[-LINE_CHARACTERS // 4 :]}"


def spreadsheet_cell(text: str) -> str:
    """Return the text as a printable cell of a CSV file that no spreadsheet runs as a formula.

    A cell that starts with one of ``= + - @``, or their full-width forms, gets an apostrophe in
    front.

    Example:
        >>> spreadsheet_cell("=cmd()")
        "'=cmd()"
    """
    cell = printable(text)
    return "'" + cell if cell.lstrip().startswith(_FORMULA) else cell


def join_names(names: Sequence[str], most: int = 3, last: str = "and") -> str:
    """Return names as ``a, b and c``; of more than ``most + 1`` the first and how many follow.

    Args:
        names: The names.
        most: Number of names that are listed where more follow.
        last: Word before the last name.

    Example:
        >>> join_names(["a", "b", "c"])
        'a, b and c'
        >>> join_names(["a", "b", "c", "d", "e"], most=2)
        'a, b and 3 more'
        >>> join_names(["a", "b"], last="or")
        'a or b'
    """
    if len(names) > most + 1:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} {last} {names[-1]}"
    return "".join(names)


def range_text(first: int, last: int, to: str = " to ") -> str:
    """Return a range of whole numbers, such as places; a single number alone.

    Example:
        >>> range_text(1, 3), range_text(1, 3, to="–"), range_text(2, 2)
        ('1 to 3', '1–3', '2')
    """
    return str(first) if first == last else f"{first}{to}{last}"


def count(n: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> count(1, "run"), count(1512, "run")
        ('1 run', '1,512 runs')
    """
    return f"{n:,} {noun}{plural(n, '', 's')}"


def plural(n: int, one: str, many: str) -> str:
    """Return the form of a word that agrees with a number.

    Example:
        >>> plural(1, "it scores", "they score"), plural(2, "it scores", "they score")
        ('it scores', 'they score')
    """
    return one if n == 1 else many
