"""Starts the command line: the script ``optbench``, and ``python -m optbench``.

It is a module of its own because importing the command line takes a moment, and Ctrl-C in that
moment must not show a traceback either.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from optbench.support.standard_streams import prepare_standard_streams

PATIENCE = 2.0
"""Seconds that threads of plugins have to end after the command."""


def main() -> None:
    """Import the command line, run it, and end the process."""
    prepare_standard_streams()
    try:
        from optbench.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    try:
        command(prog_name="optbench")
    except SystemExit as end:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # end at once, without a traceback
        _end_threads(end.code if isinstance(end.code, int) else 0)
        raise


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
