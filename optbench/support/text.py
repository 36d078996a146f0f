"""Text from anywhere, made fit to be shown: names, reasons and paths come from plugins and files.

What is not printable does not reach a terminal. Control characters begin escape sequences, which
can move the cursor over what was printed, and marks that turn the direction of writing make a line
read as something else; what no encoding can write would end the program.
"""

from __future__ import annotations

LONGEST = 1500
"""Letters of a line that is read by people; of a longer one the middle is left out."""

_FORMULA = tuple("=+-@＝＋－＠")


def harmless(text: str) -> str:
    """The text with a blank for every letter that is not printable, line breaks included.

    Example:
        >>> harmless("a\\x1b[31mb\\n")
        'a [31mb '
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def harmless_lines(text: str) -> str:
    """As `harmless`, for a text of several lines, which it stays."""
    return "\n".join(harmless(line) for line in text.expandtabs().splitlines())


def one_line(text: str) -> str:
    """The text on one line: harmless, runs of blanks made one, and not too long to read.

    Example:
        >>> one_line("two\\n  lines")
        'two lines'
    """
    clean = " ".join(harmless(text).split())
    if len(clean) <= LONGEST:
        return clean
    return f"{clean[: LONGEST * 2 // 3]} [...] {clean[-LONGEST // 4 :]}"


def spreadsheet_cell(text: str) -> str:
    """A cell of a CSV file: harmless, with an apostrophe before what would be run as a formula.

    Spreadsheets run a cell that begins with one of ``= + - @``, wide letters included.

    Example:
        >>> spreadsheet_cell("=cmd()")
        "'=cmd()"
    """
    clean = harmless(text)
    return "'" + clean if clean.lstrip().startswith(_FORMULA) else clean
