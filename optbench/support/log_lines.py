"""Log messages of optbench, and what its child processes print, as lines on stderr.

While there is a progress bar, the lines appear on it or above it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from optbench.support.text import printable

OUTPUT = "OPTBENCH_OUTPUT"
"""Environment variable; ``all`` shows every line that a plugin prints."""
_NUMBERS = re.compile(r"0x[0-9a-f]+|[-+]?\b(\d[\d.]*(e[-+]?\d+)?|nan|inf)\b", re.IGNORECASE)


class RepeatedLines:
    """Lets each kind of line through once; lines that differ in nothing but numbers are alike."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def select(self, text: str) -> list[str]:
        """Return the lines to show for one line: itself, a note that more are left out, or none.

        Example:
            >>> lines = RepeatedLines()
            >>> [lines.select(f"t is {t}") for t in range(3)][0]
            ['t is 0']
            >>> lines.select("t is 3")
            []
        """
        if os.environ.get(OUTPUT) == "all":
            return [text]
        kind = " ".join(_NUMBERS.sub("#", text).split())
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count == 1:
            return [text]
        note = f"(lines like '{text.strip()[:40]}' are shown once; {OUTPUT}=all shows all)"
        return [note] if count == 2 and kind else []

    def clear(self) -> None:
        """Begin again."""
        self._counts.clear()


def print_line(text: str) -> None:
    """Print one line to stderr, without anything that a terminal would interpret."""
    sys.stderr.write(printable(text) + "\n")  # one call, so that lines of threads do not mix
    sys.stderr.flush()


class LineHandler(logging.Handler):
    """Shows the messages of the logger ``"optbench"`` from INFO upwards, one line each.

    Attributes:
        show: Prints one line.
        show_output: Prints one line that a child process printed.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.show: Callable[[str], None] = print_line
        self.show_output: Callable[[str], None] = print_line
        self.repeated = RepeatedLines()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a message; an error while printing ends the command, as everywhere else."""
        self.show(record.getMessage())


_handler = LineHandler()


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Show log messages within the block: one command, or one call from a notebook."""
    logger = logging.getLogger("optbench")
    if _handler in logger.handlers:
        yield
        return
    _handler.repeated.clear()
    level = logger.level
    logger.addHandler(_handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(_handler)
        logger.setLevel(level)


def log_if_watched() -> contextlib.AbstractContextManager[None]:
    """Show log messages within the block, if somebody waits: in a notebook or a terminal."""
    return log_to_stderr() if is_notebook() or sys.stderr.isatty() else contextlib.nullcontext()


def is_notebook() -> bool:
    """Return whether this code runs in a notebook, or another front end of a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


@contextmanager
def log_through(
    show: Callable[[str], None], show_output: Callable[[str], None] = print_line
) -> Iterator[None]:
    """Print lines within the block by other functions than `print_line`.

    Args:
        show: Prints a log message.
        show_output: Prints a line that a child process printed.
    """
    before = _handler.show, _handler.show_output
    _handler.show, _handler.show_output = show, show_output
    try:
        yield
    finally:
        _handler.show, _handler.show_output = before


def show_output(text: str) -> None:
    """Show a line that a child process printed, unless it repeats another; called in any thread.

    A stderr that cannot be written to is not an error here: the thread must go on reading, so that
    the process does not wait for it.
    """
    with contextlib.suppress(Exception):
        for line in _handler.repeated.select(text):
            _handler.show_output(line)


class PrintedLines(io.TextIOBase):
    """Stands in for stdout while a plugin runs in this process: its lines go to `show_output`."""

    def __init__(self) -> None:
        self._rest = ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Show the lines that end in the text, and keep the rest for the next call."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            show_output(line)
        return len(text)
