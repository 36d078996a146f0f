"""Handling of Ctrl-C and SIGTERM: commands end cleanly, with the exit code that shells expect."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

AGAIN_SECONDS = 0.02
"""Delay in seconds before a dropped signal is sent again; sent at once, it would be lost again."""

_received: list[signal.Signals] = []
_last_handlers: list[Callable[[int, FrameType | None], None]] = []


def exit_code() -> int:
    """Return 128 plus the number of the first signal: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (_received[0] if _received else signal.SIGINT)


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Context in which SIGTERM, like Ctrl-C, raises KeyboardInterrupt, and neither is lost.

    Python drops an exception raised in a destructor or in a callback from C, and prints its
    traceback instead. In that case the signal is sent again. A signal that the caller ignores
    (``nohup``) stays ignored.
    """
    _received.clear()
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can handle signals
        return
    usual = (signal.SIG_DFL, signal.default_int_handler, *_last_handlers)
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook
    try:
        sys.unraisablehook = _send_again
        for number in [number for number, handler in before.items() if handler in usual]:
            signal.signal(number, _interrupt)
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            is_last = handler in usual and _last_handlers
            signal.signal(number, end_process if is_last else handler)


def own_process(*handlers: Callable[[int, FrameType | None], None]) -> None:
    """Declare that the process ends with the command, as in the script ``optbench``.

    A signal received after the command then ends the process with the exit code of an interrupt.

    Args:
        handlers: Handlers that the script installed and that a command may replace.
    """
    _last_handlers[:] = handlers


def end_process(number: int, frame: FrameType | None) -> None:
    """Flush stdout and stderr, and exit immediately with the exit code of an interrupt."""
    if not _received:
        _received.append(signal.Signals(number))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or interrupted during a flush
            stream.flush()
    os._exit(exit_code())


def deafen() -> None:
    """Ignore further signals: the command is already ending and only has to print a line."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(signal.Signals(number))
    raise KeyboardInterrupt


def _send_again(dropped: sys.UnraisableHookArgs) -> None:
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    number = _received[-1] if _received else signal.SIGINT
    main = threading.main_thread().ident
    again = threading.Timer(AGAIN_SECONDS, signal.pthread_kill, [main, number])
    again.daemon = True
    again.start()
