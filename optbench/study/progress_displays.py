"""Displays of progress: a bar in a terminal or a notebook, live curves, or lines of text."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from markupsafe import Markup

from optbench.study.driver import Progress
from optbench.support.log_lines import print_line
from optbench.support.text import one_line, printable

LINE_SECONDS = 5.0
"""Time before the first line of progress, in seconds."""
GROWTH, MOST_LINE_SECONDS = 1.5, 120.0
"""Factor by which the time between two lines grows, and the longest such time: 20 lines in ten
minutes."""
REFRESH_SECONDS = 0.25
"""Minimum time between two updates of a bar in a notebook, in seconds."""


class Display(Protocol):
    """Interface of a display for the progress of a study or a sweep."""

    def show_progress(self, progress: Progress, summary: Callable[[], str]) -> None:
        """Show the progress; `summary` returns it as one line."""

    def show_line(self, text: str) -> None:
        """Show a message about other slow work."""

    def show_warning(self, text: str) -> None:
        """Show a permanent warning."""

    def close(self) -> None:
        """End the display."""


class Lines:
    """Lines on stderr, fewer and fewer as time passes."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._seconds = LINE_SECONDS

    def show_progress(self, progress: Progress, summary: Callable[[], str]) -> None:
        """Print a line if enough time has passed since the last one."""
        if time.monotonic() - self._last >= self._seconds:
            self._last = time.monotonic()
            self._seconds = min(self._seconds * GROWTH, MOST_LINE_SECONDS)
            print_line(summary())

    def show_line(self, text: str) -> None:
        """Print a line."""
        print_line(text)

    def show_warning(self, text: str) -> None:
        """Print a line."""
        print_line(text)

    def close(self) -> None:
        """Do nothing."""


class Bar:
    """A progress bar on stderr, removed when it is closed."""

    def __init__(self) -> None:
        self._bar = _make_bar()
        self._task = self._bar.add_task("starting", total=None, leader="")
        self._bar.start()

    def show_progress(self, progress: Progress, summary: Callable[[], str]) -> None:
        """Update the bar."""
        self._bar.update(
            self._task,
            description="training",
            completed=progress.done,
            total=progress.planned,
            leader=printable(f"best: {progress.leader}") if progress.leader else "",
        )

    def show_line(self, text: str) -> None:
        """Show a text before the bar."""
        self._bar.update(self._task, description=printable(text), leader="")

    def show_warning(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(printable(text), markup=False, highlight=False)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.stop()


class NotebookBar:
    """A progress bar in the output of a notebook cell, removed when it is closed."""

    def __init__(self) -> None:
        self._handle: Any = _ipython().display(self._html("starting"), display_id=True)
        self._last = time.monotonic()

    def show_progress(self, progress: Progress, summary: Callable[[], str]) -> None:
        """Update the bar."""
        if time.monotonic() - self._last >= REFRESH_SECONDS:
            self._last = time.monotonic()
            self._handle.update(self._html(summary(), progress.done, progress.planned))

    def show_line(self, text: str) -> None:
        """Show a text beside the bar."""
        self._handle.update(self._html(text))

    def show_warning(self, text: str) -> None:
        """Print a line below the bar."""
        print_line(text)

    def close(self) -> None:
        """Remove the bar."""
        self._handle.update(_ipython().HTML(""))

    def _html(self, text: str, done: int = 0, planned: int = 0) -> Any:
        bar = Markup('<progress style="width:40ex" max="{}" value="{}"></progress> {}')
        return _ipython().HTML(bar.format(max(planned, 1), done, one_line(text)))


class LiveCurves:
    """Curves of the runs in a terminal, redrawn as runs finish.

    Args:
        labels: Labels of all entrants.
        planned: Approximate number of runs.
    """

    def __init__(self, labels: Sequence[str], planned: int) -> None:
        self._labels = labels
        self._planned = planned
        self._view: Any = None
        self._open = contextlib.ExitStack()
        self._warnings: list[str] = []

    def show_progress(self, progress: Progress, summary: Callable[[], str]) -> None:
        """Add the run that has just finished."""
        if progress.result is None:
            return
        if self._view is None:
            from optbench.report.terminal.live_curves import live

            self._view = self._open.enter_context(live(self._labels, self._planned))
        self._view.add(progress.label, progress.result)

    def show_line(self, text: str) -> None:
        """End the picture and print a line below it."""
        self.close()
        print_line(text)

    def show_warning(self, text: str) -> None:
        """Save a warning for the end, because it would break the picture."""
        self._warnings.append(text)

    def close(self) -> None:
        """End the picture."""
        self._open.close()
        while self._warnings:
            print_line(self._warnings.pop(0))


def terminal_display() -> Display:
    """Return a bar if stderr is a terminal, or lines of text otherwise.

    The shell commands of a notebook have a terminal, but every update of a bar would stay in the
    output of the cell.
    """
    return Bar() if sys.stderr.isatty() and not _is_command_of_a_notebook() else Lines()


def _is_command_of_a_notebook() -> bool:
    """Return whether a Jupyter kernel started this process, as in ``!optbench run``."""
    return "JPY_PARENT_PID" in os.environ


def _ipython() -> Any:
    import IPython.display

    return IPython.display


def _make_bar() -> Any:
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.table import Column
    from rich.text import Text

    class WithTotal(rich_progress.ProgressColumn):
        """Another column and its unit; empty until the number of runs is known."""

        def __init__(self, column: rich_progress.ProgressColumn, unit: str) -> None:
            super().__init__(table_column=Column(no_wrap=True))
            self._column, self._unit = column, unit

        def render(self, task: rich_progress.Task) -> Text:
            if task.total is None:
                return Text()
            return Text.assemble(self._column.render(task), f" {self._unit}")  # type: ignore[arg-type]

    # Where the terminal is narrow, only the bar shrinks.
    return rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        WithTotal(rich_progress.MofNCompleteColumn(), "runs"),
        rich_progress.TimeElapsedColumn(table_column=Column(no_wrap=True)),
        rich_progress.TextColumn("elapsed"),
        WithTotal(rich_progress.TimeRemainingColumn(), "left"),
        rich_progress.TextColumn("{task.fields[leader]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=8,
    )
