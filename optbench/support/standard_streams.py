"""The standard streams of the command line: no character ends a command.

A stream in ASCII, Latin-1 or cp1252 cannot show the bars, bullets and sparklines of a table. Each
is replaced by an ASCII character of the same width, any other character by its escape sequence.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
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
        **dict.fromkeys("•●■", "*"),
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


class _Messages(io.TextIOWrapper):
    """A stderr whose errors are ignored: a message that cannot be written ends no command."""

    def write(self, text: str, /) -> int:
        """Write a text, unless the device is full or the reader has gone."""
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as far as the device takes it."""
        with contextlib.suppress(OSError):
            super().flush()


class _Results(io.TextIOWrapper):
    """A stdout whose errors say that they are its own."""

    def write(self, text: str, /) -> int:
        """Write a text."""
        with _named():
            return super().write(text)

    def flush(self) -> None:
        """Flush what was written."""
        with _named():
            super().flush()


@contextlib.contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        problem.filename = "standard output"
        raise


_replaced: list[io.TextIOWrapper] = []
"""The streams before they were replaced; the end of one would close the file of the other."""


def prepare_standard_streams() -> None:
    """Open closed standard streams, let none fail on a character, and stderr on nothing.

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
    kinds: dict[str, type[io.TextIOWrapper]] = {"stdout": _Results, "stderr": _Messages}
    for name, kind in kinds.items():
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            _replaced.append(stream)
            lines = stream.line_buffering
            other = kind(stream.buffer, stream.encoding, HANDLER, line_buffering=lines)
            setattr(sys, name, other)


def printable_path(text: str) -> str:
    """Return a text with escape sequences for bytes that are not UTF-8, as ``\\\\xff``.

    Example:
        >>> printable_path("a\\udcff")
        'a\\\\xff'
    """
    return "".join(_escaped(c) if "\ud800" <= c <= "\udfff" else c for c in text)
