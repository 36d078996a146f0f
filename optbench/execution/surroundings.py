"""What a worker's runs share besides their data: put back after each, whatever a plugin did to it.

What a plugin keeps in its own module is its own. What it changes in the modules of others is beyond
repair.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import warnings
from typing import Literal, TextIO

import numpy as np


class Surroundings:
    """Folder, environment, standard streams, and the global settings of Python and NumPy."""

    def __init__(self) -> None:
        self._error = os.dup(2)  # a number that no plugin knows, so that none closes it
        self._nothing = os.open(os.devnull, os.O_RDONLY)
        self._in, self._out, self._err = sys.stdin, sys.stdout, sys.stderr
        with contextlib.suppress(OSError):  # it may have been removed
            self._folder = os.getcwd()
        self._environment = dict(os.environ)
        self._errors, self._filters = np.geterr(), list(warnings.filters)
        self._seed()

    def restore(self) -> None:
        """All as it was when this was made, so that no run depends on those before it."""
        self._open_streams()
        with contextlib.suppress(OSError, AttributeError):
            os.chdir(self._folder)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        np.seterr(**self._errors)
        if warnings.filters != self._filters:
            warnings.resetwarnings()
            warnings.filters[:] = self._filters  # type: ignore[index]  # a list, says its doc
        self._seed()

    @staticmethod
    def _seed() -> None:
        """The generators that all share: what draws from them draws the same in every run."""
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  # for plugins that use it although they should not

    def _open_streams(self) -> None:
        """Output goes to where stderr went at the start, and input is empty.

        Also when they were closed or led away.
        """
        os.dup2(self._nothing, 0)
        for number in (1, 2):
            os.dup2(self._error, number)
        if sys.stdin is not self._in or self._in.closed:
            sys.stdin = self._in = _open(0, "r")
        if sys.stdout is not self._out or self._out.closed:
            sys.stdout = self._out = _open(1, "w")
        if sys.stderr is not self._err or self._err.closed:
            sys.stderr = self._err = _open(2, "w")


def _open(number: int, mode: Literal["r", "w"]) -> TextIO:
    return open(number, mode, buffering=1, errors="replace", closefd=False)
