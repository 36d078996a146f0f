"""Log messages of optbench as lines on stderr, or on the progress bar while there is one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from optbench.support.text import printable


def print_line(text: str) -> None:
    """Print one line to stderr, without anything that a terminal would interpret."""
    print(printable(text), file=sys.stderr, flush=True)


class LineHandler(logging.Handler):
    """Shows the messages of the logger ``"optbench"`` from INFO upwards, one line each.

    Attributes:
        show: Prints one line.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.show: Callable[[str], None] = print_line

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
def log_through(show: Callable[[str], None]) -> Iterator[None]:
    """Let `show` print the log messages within the block, instead of plain lines on stderr."""
    before, _handler.show = _handler.show, show
    try:
        yield
    finally:
        _handler.show = before
