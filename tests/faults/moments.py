"""Runs optbench in this process and sends it a signal when it comes to a moment.

    python moments.py training=9 comparing=2 -- run smoke ...
    python moments.py limit:48 -- run smoke ...          (no file of more than 48 KB)

A signal goes out once, when its moment is first reached. So a test hits a point in time that is
too short for chance, in a real process.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

PLACES = {
    "planning": ("optbench.plan", "build_plan"),
    "opening": ("optbench.store.database", "_put_in_place"),
    "compiling": ("optbench.engine.training", "prepare"),
    "indexing": ("numba.core.caching", "IndexDataCacheFile._save_index"),
    "caching": ("numba.core.caching", "IndexDataCacheFile._save_data"),
    "training": ("optbench.store", "Store.put"),
    "comparing": ("optbench.study.saved", "Study.leaderboard"),
    "drawing": ("optbench.report.plots.parallel", "background_plots"),
    "writing": ("pathlib", "Path.replace"),
    "saying": ("optbench.cli.commands.run", "_say_what_happened"),
}
"""Moment -> the function that is about to be called. ``committing`` is in the middle of a
transaction, ``indexing`` and ``caching`` are before compiled code is listed and before it is
written, ``importing:NAME`` is when a module is asked for."""


class _Importing(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, hit: Callable[[], None]) -> None:
        self._name, self._hit = name, hit

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == self._name:
            self._hit()


def _once(number: int) -> Callable[[], None]:
    left = [number]

    def hit() -> None:
        if left:
            os.kill(os.getpid(), left.pop())

    return hit


def _before(module: str, path: str, hit: Callable[[], None]) -> None:
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    function = getattr(owner, name)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        hit()
        return function(*args, **kwargs)

    setattr(owner, name, wrapped)


def _at_commit(hit: Callable[[], None]) -> None:
    """In the middle of a transaction: runs are inserted, and not yet committed."""

    class Traced(sqlite3.Connection):
        inserted = False

        def executemany(self, statement: str, *args: Any) -> sqlite3.Cursor:
            self.inserted |= "INTO runs" in statement
            return super().executemany(statement, *args)

        def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
            if statement == "COMMIT" and self.inserted:
                hit()
            return super().execute(statement, *args)

    module: Any = sqlite3
    module.connect = functools.partial(sqlite3.connect, factory=Traced)


def arm(moment: str, number: int) -> None:
    """Have the signal sent when the moment comes."""
    hit = _once(number)
    if moment.startswith("importing:"):
        sys.meta_path.insert(0, _Importing(moment.partition(":")[2], hit))
    elif moment == "committing":
        _at_commit(hit)
    else:
        _before(*PLACES[moment], hit)


def limit_files(size: int) -> None:
    """Let no file of this process and its children grow beyond this size."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


if __name__ == "__main__":
    split = sys.argv.index("--")
    for text in sys.argv[1:split]:
        if text.startswith("limit:"):
            limit_files(int(text.removeprefix("limit:")) * 1024)
            continue
        which, _, sent = text.partition("=")
        arm(which, signal.Signals(int(sent)))
    sys.argv = ["optbench", *sys.argv[split + 1 :]]
    from optbench.__main__ import main

    main()
