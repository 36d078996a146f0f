"""Ctrl-C and SIGTERM: a command ends in good order, with the exit code that shells expect."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

AGAIN_SECONDS = 0.02
"""After so long a dropped signal comes again: sent at once, it would be dropped here as well."""

_received: list[signal.Signals] = []
_last_handlers: list[Callable[[int, FrameType | None], None]] = []


def exit_code() -> int:
    """130 after Ctrl-C, 143 after SIGTERM: 128 and the number of the signal that came first."""
    return 128 + (_received[0] if _received else signal.SIGINT)


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Within, SIGTERM raises KeyboardInterrupt as Ctrl-C does, and neither can be lost.

    Python drops an exception that is raised in a destructor or in a callback from C, and prints
    its traceback instead; here the signal is sent once more. A signal that the caller ignores
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
    """Say that the process ends with the command, as that of the script ``optbench`` does.

    A signal that comes after the command then ends the process with the exit code of an interrupt.

    Args:
        handlers: Handlers that the script installed, which a command may replace.
    """
    _last_handlers[:] = handlers


def end_process(number: int, frame: FrameType | None) -> None:
    """End the process at once, with the exit code of an interrupt; everything is written."""
    if not _received:
        _received.append(signal.Signals(number))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or interrupted while it was flushed
            stream.flush()
    os._exit(exit_code())


def deafen() -> None:
    """Ignore further signals: the command is ending already, a line is all that is left to say."""
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
