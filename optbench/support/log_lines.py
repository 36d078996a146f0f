"""Log messages of optbench, and what its child processes print, as lines on stderr.

While there is a progress bar, the lines appear on it or above it.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from optbench.support.text import printable


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
    level = logger.level
    logger.addHandler(_handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(_handler)
        logger.setLevel(level)


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
    """Show a line that a child process printed; called in any thread.

    A stderr that cannot be written to is not an error here: the thread must go on reading, so that
    the process does not wait for it.
    """
    with contextlib.suppress(Exception):
        _handler.show_output(text)
