"""The global state of a worker process, restored after each run, whatever a plugin did to it.

State that a plugin keeps in its own module is left alone. Changes that it makes to modules of other
distributions cannot be undone.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import os
import random
import signal
import sys
import threading
import warnings
from typing import Any, Literal, TextIO

import numpy as np


class ProcessState:
    """Working directory, environment, standard streams, signals, settings of Python and NumPy.

    Creating it takes a snapshot. Only the main thread may create and restore it.
    """

    def __init__(self) -> None:
        self._stderr_copy = os.dup(2)  # under a number that no plugin knows, so that none closes it
        self._empty_input = os.open(os.devnull, os.O_RDONLY)
        self._in, self._out, self._err = sys.stdin, sys.stdout, sys.stderr
        with contextlib.suppress(OSError):  # it may have been removed
            self._folder = os.getcwd()
        self._environment = dict(os.environ)
        self._errors, self._filters = np.geterr(), list(warnings.filters)
        self._recursion_limit = sys.getrecursionlimit()
        self._handlers = _signal_handlers()
        self._builtins = vars(builtins)
        self._builtins_copy = dict(self._builtins)
        self._seed()

    def restore_builtins(self) -> None:
        """Put back the built-in names; nothing else works while they are missing."""
        self._builtins.update(self._builtins_copy)

    def restore(self) -> None:
        """Restore the snapshot, so that no run depends on earlier ones."""
        self.restore_builtins()
        self._reset_signals()
        self._reopen_streams()
        with contextlib.suppress(OSError, AttributeError):
            os.chdir(self._folder)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        np.seterr(**self._errors)
        if warnings.filters != self._filters:
            warnings.resetwarnings()
            warnings.filters[:] = self._filters  # type: ignore[index]  # documented as a list
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        threading.setprofile(None)
        with contextlib.suppress(RecursionError):
            sys.setrecursionlimit(self._recursion_limit)
        gc.enable()
        self._seed()

    def _reset_signals(self) -> None:
        """Stop every timer, before one of them strikes the next run, and put handlers back."""
        if hasattr(signal, "setitimer"):
            for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
                signal.setitimer(timer, 0)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_SETMASK, ())

    @staticmethod
    def _seed() -> None:
        """Seed the global generators, so that plugins draw the same from them in every run."""
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  # for plugins that use it although they should not

    def _reopen_streams(self) -> None:
        """Send output to the original stderr and make input empty, even if a plugin closed them."""
        os.dup2(self._empty_input, 0)
        for number in (1, 2):
            os.dup2(self._stderr_copy, number)
        if sys.stdin is not self._in or self._in.closed:
            sys.stdin = self._in = _open(0, "r")
        if sys.stdout is not self._out or self._out.closed:
            sys.stdout = self._out = _open(1, "w")
        if sys.stderr is not self._err or self._err.closed:
            sys.stderr = self._err = _open(2, "w")


def _signal_handlers() -> dict[int, Any]:
    """Return the handlers that Python can put back; others belong to C libraries."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    fixed = {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")}
    return {
        number: handler
        for number, handler in handlers.items()
        if handler is not None and number not in fixed
    }


def _open(number: int, mode: Literal["r", "w"]) -> TextIO:
    return open(number, mode, buffering=1, errors="replace", closefd=False)
