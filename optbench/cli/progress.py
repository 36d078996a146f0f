"""Progress of a study on stderr: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from optbench.cli.log_lines import log_shown_by
from optbench.cli.output import remark
from optbench.records import Status
from optbench.support.text import harmless

if TYPE_CHECKING:
    from optbench.study import Progress

LINE_SECONDS = 5.0
"""Without a terminal, a line so often at most."""

MIN_RUNS = 10
"""So many runs must have been trained before the time left is told."""

FIRST_RUNS = 3
"""When the first so many runs of an entrant all fail in the same way, that is told at once."""


class ProgressView:
    """Shows runs done of all, time left, and who is best so far. Call it with each `Progress`.

    Args:
        quiet: show nothing.
        live: in a terminal, draw the curves as runs finish.
        labels: of all entrants, for `live`.
        planned: runs in all, for `live`.
    """

    def __init__(
        self,
        quiet: bool = False,
        *,
        live: bool = False,
        labels: Sequence[str] = (),
        planned: int = 0,
    ) -> None:
        self._quiet = quiet
        self._live = live
        self._picture: tuple[Sequence[str], int] = (labels, planned)
        self._curves: Any = None
        self._open = contextlib.ExitStack()
        self._log = contextlib.ExitStack()
        self._shown = time.monotonic()
        self._first: tuple[float, int] | None = None  # when training began, and runs trained then
        self._bar: Any = None
        self._task: Any = None
        self._warnings: list[str] = []
        self._reasons: dict[str, list[str]] = {}  # why the first runs of an entrant failed, if so

    def __enter__(self) -> Self:
        self._log.enter_context(log_shown_by(self.show_line))
        if sys.stderr.isatty() and not self._quiet and not self._live:
            self._bar = _make_bar()
            self._task = self._bar.add_task("starting", total=None, leader="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._end_picture()
        self._log.close()

    def show_line(self, text: str) -> None:
        """Show a log message: something other than the runs that takes a while."""
        if self._bar is not None:
            self._bar.update(self._task, description=harmless(text))
        elif not self._quiet:
            self._end_picture()  # what is said after the runs stands below the picture
            remark(text)

    def __call__(self, progress: Progress) -> None:
        """Take note of the progress."""
        if self._first is None and progress.trained:
            self._first = (time.monotonic(), progress.trained)
        self._alarm(progress)
        if self._live:
            self._draw(progress)
        elif self._bar is not None:
            self._bar.update(
                self._task,
                description="training",
                completed=progress.done,
                total=progress.planned,
                leader=harmless(f"best so far: {progress.leader}") if progress.leader else "",
            )
        elif not self._quiet and time.monotonic() - self._shown >= LINE_SECONDS:
            self._shown = time.monotonic()
            remark(self._line(progress))

    def _alarm(self, progress: Progress) -> None:
        """Say it if an entrant fails from the start: its other runs will do the same."""
        if progress.result is None or self._quiet:
            return
        label = progress.label or progress.result.spec.optimizer
        reasons = self._reasons.setdefault(label, [])
        if len(reasons) >= FIRST_RUNS:
            return
        failed = progress.result.status is Status.FAILED
        reasons.append(progress.result.reason if failed else "")
        if len(reasons) == FIRST_RUNS and reasons[0] and len(set(reasons)) == 1:
            self._warnings.append(
                f"warning: the first {FIRST_RUNS} runs of {label} all failed: {reasons[0]}; "
                "the others go on (Ctrl-C keeps what is finished)"
            )
        if not self._live:
            self._warn()

    def _end_picture(self) -> None:
        self._open.close()
        self._warn()

    def _warn(self) -> None:
        """Print the warnings so far; a picture would be torn, so they wait for its end."""
        while self._warnings:
            text = self._warnings.pop(0)
            if self._bar is None:
                remark(text)
            else:  # above the bar
                self._bar.console.print(harmless(text), markup=False, highlight=False)

    def _draw(self, progress: Progress) -> None:
        if progress.result is None:
            return
        if self._curves is None:
            from optbench.report.terminal.leaderboard_table import live

            self._curves = self._open.enter_context(live(*self._picture))
        self._curves.add(progress.label, progress.result)

    def _line(self, progress: Progress) -> str:
        line = f"{progress.done} of {progress.planned} runs"
        since, before = self._first or (time.monotonic(), progress.trained)
        if progress.trained - before >= MIN_RUNS:
            rate = (time.monotonic() - since) / (progress.trained - before)
            line += f", {span(rate * (progress.planned - progress.done))} left"
        return line + (f", best so far: {progress.leader}" if progress.leader else "")


def _make_bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[leader]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=8,
    )


def span(seconds: float) -> str:
    """A length of time in words, e.g. ``"3 min 20 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
