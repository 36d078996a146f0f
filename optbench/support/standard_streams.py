"""The standard streams of the command line: no character ends a command.

A stream in ASCII, Latin-1 or cp1252 cannot show the bars, bullets and sparklines of a table. Each
is replaced by an ASCII character of the same width, any other character by its escape sequence.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import unicodedata
from typing import Any

HANDLER = "optbench-stand-ins"
"""Name of the error handler of the standard streams."""

_STAND_INS = str.maketrans(
    {
        **dict.fromkeys("█▉▊▋", "#"),
        **dict(zip("▌▍▎▏", "=--.", strict=True)),
        **dict(zip("▁▂▃▄▅▆▇", "_.,-~=+", strict=True)),
        **dict.fromkeys("│┃╷╵║", "|"),
        **dict.fromkeys("─━╴╶╸╺═–—−", "-"),
        **dict.fromkeys("•●", "*"),
        "○": "o",
        **dict(zip("·×†…≥≤τα‘’“”", ".x+.><ta''\"\"", strict=True)),
    }
)


def _stand_in(character: str) -> str:
    if character.translate(_STAND_INS).isascii():
        return character.translate(_STAND_INS)
    if "\u2800" <= character <= "\u28ff":  # braille: dots of a curve
        return "*"
    if "\u2500" <= character <= "\u257f":  # the corners and crossings of boxes
        return "+"
    letter = unicodedata.normalize("NFKD", character)[0]  # without its accent
    return letter if letter.isascii() else _escaped(character)


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a path that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("ascii", "backslashreplace").decode()


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_stand_in, error.object[error.start : error.end])), error.end


codecs.register_error(HANDLER, _replace)


def prepare_standard_streams() -> None:
    """Open closed standard streams, and let none of them fail on a character.

    A closed stream (``>&-``) becomes the null device. Otherwise the next file that is opened would
    get the number of the stream, and the output of libraries that write to that number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream: Any = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stream)
        if mode == "w":
            with contextlib.suppress(AttributeError):  # a stream that someone else put there
                stream.reconfigure(errors=HANDLER)


def printable_path(text: str) -> str:
    """Return a text with escape sequences for bytes that are not UTF-8, as ``\\\\xff``.

    Example:
        >>> printable_path("a\\udcff")
        'a\\\\xff'
    """
    return "".join(_escaped(c) if "\ud800" <= c <= "\udfff" else c for c in text)
