"""Curves that grow in the terminal while a study runs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optbench.records import RunResult
from optbench.report.format.palette import assign_looks
from optbench.report.format.text_charts import braille, run_curve, sparkline
from optbench.support.text import count, one_line

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.text import Text


REDRAW_SECONDS = 0.1
"""Least time between two drawings."""
CHART_HEIGHT = 12
"""Number of lines of the chart."""


class LiveView:
    """Curves of the runs that have finished, redrawn at most ten times a second.

    The chart shows the workload that was trained last: for each optimizer, the run with the lowest
    final validation loss so far. A legend below counts the runs of each optimizer.
    """

    def __init__(self, labels: Sequence[str], planned: int) -> None:
        self._looks = assign_looks(labels)
        self._planned = planned
        self._done = 0
        self._workload = ""
        self._best: dict[tuple[str, str], RunResult] = {}
        self._counts = {label: [0, 0] for label in sorted(set(labels))}
        self._drawn = -math.inf
        self._live: Any = None

    def add(self, label: str, result: RunResult) -> None:
        """Add a finished run; call it from one thread only.

        Args:
            label: Label of the entrant.
            result: Its run.
        """
        self._done += 1
        self._workload = result.spec.workload.label
        counts = self._counts.setdefault(label, [0, 0])
        counts[0] += 1
        counts[1] += result.status != "ok"
        key = (self._workload, label)
        before = self._best.get(key)
        if before is None or _end(result) < _end(before):
            self._best[key] = result
        now = time.monotonic()
        if self._live is not None and now - self._drawn > REDRAW_SECONDS:
            self._drawn = now
            self._live.update(self.render(self._live.console.width), refresh=True)

    def render(self, width: int = 80) -> Group:
        """Return chart and legend as a renderable of rich.

        Args:
            width: Characters available.
        """
        from rich.console import Group
        from rich.text import Text

        curves = {k[1]: run_curve(r) for k, r in self._best.items() if k[0] == self._workload}
        lines: list[RenderableType] = [
            Text(f"{self._done} of {count(self._planned, 'run')}", style="bold"),
            Text(one_line(self._workload), style="dim", overflow="ellipsis", no_wrap=True),
        ]
        for row in braille(curves, max(min(width - 2, 100), 10), CHART_HEIGHT):
            pieces = [(c, self._looks[k].colour if k in self._looks else "") for c, k in row]
            lines.append(Text.assemble(" ", *pieces, no_wrap=True))
        lines.append(Text("validation loss against examples seen, both logarithmic", style="dim"))
        lines += [self._legend(label, curves) for label in self._counts]
        return Group(*lines)

    def _legend(self, label: str, curves: dict[str, Any]) -> Text:
        from rich.text import Text

        runs, lost = self._counts[label]
        colour = self._looks[label].colour if label in self._looks else ""
        spark = sparkline(curves[label][1]) if label in curves else " " * 12
        note = count(runs, "run") + (f", {lost} diverged" if lost else "")
        line = Text.assemble((f"{spark} ", colour), (one_line(label), "bold"), f"  {note}")
        line.no_wrap = True
        return line


def _end(result: RunResult) -> float:
    loss = result.final("val_loss")
    return loss if result.status == "ok" and math.isfinite(loss) else math.inf


@contextmanager
def live(
    labels: Sequence[str], planned: int, *, console: Console | None = None
) -> Iterator[LiveView]:
    """Show curves as runs finish, for ``optbench run --live``.

    If the console is not a terminal, nothing is drawn, and `LiveView.add` costs nothing.

    Args:
        labels: Labels of all entrants, which fix the colors as in the report.
        planned: Number of runs in total.
        console: Where to draw; by default a console on stderr.
    """
    from rich.console import Console
    from rich.live import Live

    console = console or Console(stderr=True)
    view = LiveView(labels, planned)
    if not console.is_terminal:
        yield view
        return
    first = view.render(console.width)
    with Live(first, console=console, auto_refresh=False, vertical_overflow="crop") as drawn:
        view._live = drawn
        yield view
        drawn.update(view.render(console.width), refresh=True)
        view._live = None
