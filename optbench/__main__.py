"""Starts the command line: the script ``optbench``, and ``python -m optbench``.

It is a module of its own because importing the command line takes a moment, and Ctrl-C in that
moment must not show a traceback either.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from types import FrameType

from optbench.support.process_limits import describe_low_limit
from optbench.support.standard_streams import prepare_standard_streams

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 2.0
"""Seconds that threads of plugins have to end after the command."""
LEAST_LIMITS = {"RLIMIT_AS": 160 * 2**20, "RLIMIT_DATA": 64 * 2**20}
"""Limits on memory with which NumPy can be loaded, in bytes."""

_received: list[int] = []


def main() -> None:
    """Import the command line, run it, and end the process."""
    prepare_standard_streams()
    atexit.register(_ignore_signals)  # the first one registered is called last
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)
    _check_limits()
    try:
        from optbench.cli import main as command
        from optbench.cli.interrupts import exit_code, own_process

        own_process(_interrupt)
        command(prog_name="optbench")
    except KeyboardInterrupt:  # before or after the command, which handles its own
        _ignore_signals()
        sys.stderr.write("error: interrupted\n")
        sys.exit(128 + _received[0] if _received else exit_code())
    except SystemExit as end:
        _end_threads(end.code if isinstance(end.code, int) else 0)
        raise


def _check_limits() -> None:
    """End the process if no command could be loaded; the libraries would report it in many lines.

    Commands that train need more, and check it themselves.
    """
    if problem := describe_low_limit(LEAST_LIMITS, "optbench"):
        sys.stderr.write(f"error: {problem}\n")
        sys.exit(1)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """Ignore further signals; the exit code is decided, and nothing is left to interrupt."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end_threads(code: int) -> None:
    """End the process if a thread of a plugin still runs after `PATIENCE`; Python would wait."""
    deadline = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread is threading.main_thread() or thread.daemon:
            continue
        thread.join(max(deadline - time.monotonic(), 0))
        if thread.is_alive():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    main()
