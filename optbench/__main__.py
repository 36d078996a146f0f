"""Starts the command line: the script ``optbench``, and ``python -m optbench``.

Apart from the command line itself, because that takes a moment to import, and Ctrl-C in this
moment is to be as quiet as later.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

PATIENCE = 2.0
"""Seconds that threads of plugins have to end when all is done."""


def main() -> None:
    """Import the command line, run it, and end the process."""
    _fill_streams()
    try:
        from optbench.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    try:
        command(prog_name="optbench")
    except SystemExit as end:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # all is written; from here, quick and quiet
        _end_threads(end.code if isinstance(end.code, int) else 0)
        raise


def _fill_streams() -> None:
    """Where a standard stream is closed (``>&-``), what is written to it goes nowhere.

    Also what a library writes to its number, which the next file that is opened would have.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _end_threads(code: int) -> None:
    """Python waits for threads at its end; one of a plugin that goes on for ever is cut off."""
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
