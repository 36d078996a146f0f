"""Draws the plots of a study, with the help of a second process where there is a core for it.

Drawing takes longer than the rest of a report, and matplotlib uses one core. The second process
takes pictures from the front of the list, this process from the back. What the second process
does not finish, for whatever reason, this one draws.

joblib's loky would do the same in fewer lines, but it was measured to be slower (a third process
and its own imports), and a worker that it kills leaves half-written files.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell
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
PATIENCE_SECONDS = 60.0
"""Time that the second process has for one picture."""
FEW_WORKLOADS = 2
"""A study of so few workloads is drawn before a second process has started."""


_Order = tuple[Leaderboard, list[Cell], Path, Sequence[str], float | None]
"""What is drawn, from what, where to, in which formats, and how wide."""


class _SecondProcess:
    """A process that draws one picture after another, and the thread that waits for it."""

    def __init__(self) -> None:
        self._child = start_child(f"{__name__}:main")
        self._thread = ThreadPoolExecutor(1)

    def submit(self, order: _Order, names: Iterable[str]) -> dict[str, Future[None]]:
        """Ask for pictures. Each future ends when its picture is drawn, or with an error."""
        self._thread.submit(self._request, lambda: pickle.dumps(order))
        return {name: self._thread.submit(self._request, name.encode) for name in names}

    def _request(self, make_frame: Callable[[], bytes]) -> None:
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        write_frame(stdin, make_frame())
        if read_frame(stdout) != READY:
            raise BrokenPipeError("the process has ended")

    def has_drawn(self, picture: Future[None]) -> bool:
        """Wait for a picture; a process that dies or takes too long does not get another one."""
        try:
            picture.result(PATIENCE_SECONDS)
        except Exception:
            self.stop()
            return False
        return True

    def stop(self, patience_seconds: float = 0.0) -> None:
        """End the process, which has some time to tidy up, and cancel what is pending."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        end_child(self._child, patience_seconds)
        self._thread.shutdown()  # the pipes are closed, so this does not hang


@contextlib.contextmanager
def background_plots(
    board: Leaderboard,
    cells: Sequence[Cell],
    folder: Path,
    formats: Sequence[str],
    width: float | None = None,
) -> Iterator[Callable[[], list[Path]]]:
    """Start to draw everything that the leaderboard has data for.

    Args:
        board: The leaderboard.
        cells: The cells it was built from, with their curves.
        folder: Folder that exists.
        formats: Any of ``"png"``, ``"svg"``, ``"pdf"``.
        width: Width of the sheets in inches; None for what their panels need.

    Yields:
        A function that draws what is left, and returns every file in a fixed order.
    """
    second = None
    if available_cores() > 1 and len(board.workloads) > FEW_WORKLOADS:
        with contextlib.suppress(OSError):  # no memory, or no more processes are allowed
            second = _SecondProcess()  # starts while this process imports matplotlib
    try:
        from optbench.report.plots import drawings, write_plot

        pictures = dict(drawings(board, cells))
        evaluated = [replace(cell, trials=()) for cell in cells]
        order = (board, evaluated, folder.absolute(), formats, width)
        futures = second.submit(order, pictures) if second else {}

        def finish() -> list[Path]:
            theirs = []
            for name in reversed(pictures):
                if name not in futures or futures[name].cancel():
                    write_plot(pictures[name], folder / name, formats, width)
                else:
                    theirs.append(name)
            for name in reversed(theirs):
                if second and not second.has_drawn(futures[name]):
                    write_plot(pictures[name], folder / name, formats, width)
            return [folder / f"{name}.{form}" for name in pictures for form in formats]

        yield finish
    finally:
        if second is not None:
            second.stop(PATIENCE_SECONDS)


def main() -> None:
    """Draw what the parent asks for until it stops asking; what the second process runs."""
    source, out = take_streams()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that no half-written file stays
    frames = listen(lambda: read_frame(source))
    try:
        from optbench.report.plots import drawings, write_plot

        board, cells, folder, formats, width = pickle.loads(frames.get())
        pictures = dict(drawings(board, cells))
        while True:
            write_frame(out, READY)
            name = frames.get().decode()
            write_plot(pictures[name], folder / name, formats, width)
    finally:
        os._exit(0)  # does not wait for the thread that listens
