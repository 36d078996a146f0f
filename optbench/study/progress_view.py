"""Display of the progress of a study or a sweep while it runs."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Self

from optbench.records import Status
from optbench.study.driver import Observer, Progress, ignore_progress
from optbench.study.progress_displays import (
    Display,
    NotebookBar,
    terminal_display,
)
from optbench.support.log_lines import is_notebook, log_through, log_to_stderr, print_line
from optbench.support.text import count

MIN_RUNS = 10
"""Number of runs trained before the remaining time is estimated."""
FIRST_RUNS = 3
"""Number of first runs of an entrant that must fail for the same reason to cause a warning."""


class ProgressView:
    """Shows the number of finished runs, the remaining time, and the best entrant so far.

    It is a context manager and an observer, called with each `Progress`. Log messages of optbench
    are shown on the same display.

    Args:
        display: Display to use; None shows nothing.
    """

    def __init__(self, display: Display | None) -> None:
        self._display = display
        self._log = contextlib.ExitStack()
        self._first: tuple[float, int] | None = None  # start of training, runs trained by then
        self._reasons: dict[str, list[str]] = {}  # reasons why first runs of an entrant failed

    def __enter__(self) -> Self:
        self._log.enter_context(log_through(self.show_line, self.show_output))
        return self

    def __exit__(self, *exc: object) -> None:
        if self._display is not None:
            self._display.close()
        self._log.close()

    def show_line(self, text: str) -> None:
        """Show a log message about other slow work."""
        if self._display is not None:
            self._display.show_line(text)

    def show_output(self, text: str) -> None:
        """Show a line that a worker process printed, even where nothing else is shown."""
        if self._display is None:
            print_line(text)
        else:
            self._display.show_warning(text)

    def __call__(self, progress: Progress) -> None:
        """Show the progress."""
        if self._first is None and progress.trained:
            self._first = (time.monotonic(), progress.trained)
        if self._display is None:
            return
        self._warn_of_failures(self._display, progress)
        self._display.show_progress(progress, lambda: self._summary(progress))

    def _warn_of_failures(self, display: Display, progress: Progress) -> None:
        """Warn if an entrant fails from the start: its other runs will probably fail too."""
        if progress.result is None:
            return
        label = progress.label or progress.result.spec.optimizer
        reasons = self._reasons.setdefault(label, [])
        if len(reasons) >= FIRST_RUNS:
            return
        failed = progress.result.status is Status.FAILED
        reasons.append(progress.result.reason if failed else "")
        if len(reasons) == FIRST_RUNS and reasons[0] and len(set(reasons)) == 1:
            display.show_warning(
                f"warning: the first {FIRST_RUNS} runs of {label} all failed: {reasons[0]}; "
                "the others continue (Ctrl-C stops; finished runs are stored)"
            )

    def _summary(self, progress: Progress) -> str:
        summary = f"{progress.done} of {count(progress.planned, 'run')}"
        since, before = self._first or (time.monotonic(), progress.trained)
        if progress.trained - before >= MIN_RUNS:
            rate = (time.monotonic() - since) / (progress.trained - before)
            summary += f", {duration(rate * (progress.planned - progress.done))} left"
        return summary + (f", best so far: {progress.leader}" if progress.leader else "")


@contextlib.contextmanager
def shown_progress(progress: bool | Observer | None) -> Iterator[Observer]:
    """Yield the observer that a user requested.

    Args:
        progress: An observer; False for none; None for a bar in a notebook or a terminal and
            nothing elsewhere; True for lines on stderr elsewhere.
    """
    if callable(progress):
        yield progress
        return
    asked = progress is True or (progress is None and (is_notebook() or sys.stderr.isatty()))
    if not asked:
        yield ignore_progress
        return
    display = NotebookBar() if is_notebook() else terminal_display()
    with log_to_stderr(), ProgressView(display) as view:
        yield view


def duration(seconds: float) -> str:
    """Return a duration as text.

    Example:
        >>> duration(200)
        '3 min 20 s'
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
