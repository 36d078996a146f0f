"""Draws the plots of a study: by this process and, where there is a core for it, by another.

Matplotlib uses one core, and pictures take longer than all else in a report. What the other
process cannot draw, for whatever reason, this one draws.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from optbench.analysis.leaderboard import Leaderboard, from_json, to_json
from optbench.records import Cell, Entrant, Workload
from optbench.records.packing import pack_result, unpack_result
from optbench.support.child_processes import (
    available_cores,
    end_child,
    listen,
    read_frame,
    start_child,
    take_streams,
    write_frame,
)

READY = b"ready"
PATIENCE = 60.0
"""Seconds that one picture may take in the other process."""


class _Group(msgspec.Struct):
    """One cell, as far as a plot shows it."""

    entrant: Entrant
    workload: Workload
    runs: list[bytes]


class _Order(msgspec.Struct):
    """What is to be drawn, from what, and where to."""

    folder: str
    formats: list[str]
    board: bytes
    groups: list[_Group]


class _Assistant:
    """The other process, and the thread that hands it one picture after the other.

    Args:
        waiting: names of pictures; it takes them from the front, and puts back what it could not
            draw.
        drawn: where it adds the names of those that it drew.
    """

    def __init__(self, waiting: deque[str], drawn: set[str]) -> None:
        self._waiting = waiting
        self._drawn = drawn
        self._child = start_child(f"{__name__}:main", quiet=True)
        self._thread: threading.Thread | None = None

    def begin(
        self, board: Leaderboard, cells: Sequence[Cell], folder: Path, formats: Sequence[str]
    ) -> None:
        """Draw from now on."""
        order = (board, cells, folder, formats)
        self._thread = threading.Thread(target=self._hand_over, args=order, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until it has drawn, or put back, what it is at; it is not waited for in vain."""
        if self._thread is not None:
            self._thread.join(PATIENCE)
            self._end()

    def close(self) -> None:
        """Give up what it is at."""
        self._waiting.clear()
        self._end(PATIENCE)

    def _end(self, patience: float = 0.0) -> None:
        end_child(self._child, patience)
        if self._thread is not None:
            self._thread.join()  # its pipes have ended

    def _hand_over(
        self, board: Leaderboard, cells: Sequence[Cell], folder: Path, formats: Sequence[str]
    ) -> None:
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(Exception):  # it has ended; nothing waits; this cannot be sent
            write_frame(stdin, _pack(board, cells, folder, formats))
            ready = read_frame(stdout) == READY
            while ready:
                name, ready = self._waiting.popleft(), False
                try:
                    write_frame(stdin, name.encode())
                    ready = read_frame(stdout) == READY
                finally:
                    if ready:
                        self._drawn.add(name)
                    else:
                        self._waiting.append(name)


@contextlib.contextmanager
def plots_under_way(
    board: Leaderboard, cells: Sequence[Cell], folder: Path, formats: Sequence[str]
) -> Iterator[Callable[[], list[Path]]]:
    """Begin to draw everything that the leaderboard has data for.

    Args:
        board: the leaderboard.
        cells: the cells it was built from; they hold the curves.
        folder: exists.
        formats: any of ``"png"``, ``"svg"``, ``"pdf"``.

    Yields:
        A function that helps to draw what is left, and returns every file, in a fixed order.
    """
    waiting: deque[str] = deque()
    drawn: set[str] = set()
    assistant = None
    if available_cores() > 1:
        with contextlib.suppress(OSError):  # no memory, or no more processes are allowed
            assistant = _Assistant(waiting, drawn)
    try:
        from optbench.report.plots import drawings, write_plot

        known = dict(drawings(board, cells))
        waiting.extend(known)
        if assistant is not None:
            assistant.begin(board, cells, folder, formats)

        def finish() -> list[Path]:
            while len(drawn) < len(known):
                with contextlib.suppress(IndexError):  # the assistant took the last one
                    while True:
                        name = waiting.pop()
                        write_plot(known[name], folder / name, formats)
                        drawn.add(name)
                if len(drawn) < len(known) and assistant is not None:
                    assistant.wait()
            return [folder / f"{name}.{form}" for name in known for form in formats]

        yield finish
    finally:
        if assistant is not None:
            assistant.close()


def _pack(board: Leaderboard, cells: Sequence[Cell], folder: Path, formats: Sequence[str]) -> bytes:
    groups = [
        _Group(cell.entrant, cell.workload, [pack_result(run) for run in cell.evaluation])
        for cell in cells
    ]
    order = _Order(str(folder.absolute()), list(formats), to_json(board), groups)
    return msgspec.msgpack.encode(order)


def _cell(group: _Group) -> Cell:
    runs = tuple(map(unpack_result, group.runs))
    return Cell(group.entrant, group.workload, (), None, {}, runs)


def main() -> None:
    """Draw what is asked for until the parent says no more or dies; the other process."""
    source, out = take_streams()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # nothing half-written stays
    try:
        order = msgspec.msgpack.decode(read_frame(source) or b"", type=_Order)
        from optbench.report.plots import drawings, write_plot

        known = dict(drawings(from_json(order.board), list(map(_cell, order.groups))))
        asked = listen(source)
        while True:
            write_frame(out, READY)
            name = asked.get().decode()
            write_plot(known[name], Path(order.folder) / name, order.formats)
    finally:
        os._exit(0)  # without waiting for the thread that listens
