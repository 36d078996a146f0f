"""Runs optbench in this process, and sends it a signal at a given moment.

    python moments.py training=9 comparing=2 -- run smoke ...
    python moments.py limit:48 -- run smoke ...          (no file larger than 48 KB)

Each signal is sent once, when its moment is first reached. So a test hits, in a real process, a
point in time that is too short to hit by chance.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

FUNCTIONS = {
    "planning": ("optbench.plan", "build_plan"),
    "compiling": ("optbench.engine.training", "prepare"),
    "training": ("optbench.store", "Store.put"),
    "looking": ("optbench.study.growing_cells", "boards_at_looks"),
    "saving": ("optbench.store", "Store.save_study"),
    "comparing": ("optbench.study", "Study.leaderboard"),
    "telling": ("optbench.cli.study_output", "show_failures"),
    "exiting": ("optbench.__main__", "_end_threads"),
    "finishing": ("optbench.__main__", "_ignore_signals"),
}
"""Moment -> module and name of a public function; the signal is sent before it is called."""

FILES = {
    "opening": ("os.link", r"runs\.sqlite$"),
    "caching": ("open", r"\.nbc\..*part$"),
    "renaming": ("os.rename", r"\.nbc$"),
    "writing": ("os.rename", r"\.(json|csv|md|html)$"),
}
"""Moment -> audit event of Python, and a pattern that one of its paths matches.

A store is linked into its place; a file of machine code or of the report is written, and then
renamed into its place. The signal is sent before the event.
"""

# Two more moments: ``committing`` is in the middle of a transaction, when runs are inserted and not
# yet committed; ``importing:NAME`` is before a module is looked for.


class _Importing(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, send: Callable[[], None]) -> None:
        self._name, self._send = name, send

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == self._name:
            self._send()


def _once(number: int) -> Callable[[], None]:
    left = [number]

    def send() -> None:
        if left:
            os.kill(os.getpid(), left.pop())

    return send


def _before_call(module: str, path: str, send: Callable[[], None]) -> None:
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    function = getattr(owner, name)
    if isinstance(function, functools.cached_property):
        owner, name, function = function, "func", function.func

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        send()
        return function(*args, **kwargs)

    setattr(owner, name, wrapped)


def _before_event(event: str, pattern: str, send: Callable[[], None]) -> None:
    def hook(name: str, args: tuple[Any, ...]) -> None:
        if name == event and any(re.search(pattern, str(arg)) for arg in args[:2]):
            send()

    sys.addaudithook(hook)


def _before_commit(send: Callable[[], None]) -> None:
    class Traced(sqlite3.Connection):
        inserted = False

        def executemany(self, statement: str, *args: Any) -> sqlite3.Cursor:
            self.inserted |= "INTO runs" in statement
            return super().executemany(statement, *args)

        def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
            if statement == "COMMIT" and self.inserted:
                send()
            return super().execute(statement, *args)

    module: Any = sqlite3
    module.connect = functools.partial(sqlite3.connect, factory=Traced)


def arm(moment: str, number: int) -> None:
    """Send the signal when the moment comes."""
    send = _once(number)
    if moment.startswith("importing:"):
        sys.meta_path.insert(0, _Importing(moment.partition(":")[2], send))
    elif moment == "committing":
        _before_commit(send)
    elif moment in FILES:
        _before_event(*FILES[moment], send)
    else:
        _before_call(*FUNCTIONS[moment], send)


def limit_files(size: int) -> None:
    """Set the largest size of a file, in bytes, for this process and its children."""
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
