"""The leaderboard in the terminal. rich obeys NO_COLOR by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optbench.analysis.board_rows import OverallRow
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.few_workloads import too_few_workloads
from optbench.analysis.words.prose import count
from optbench.analysis.words.verdicts import place_text
from optbench.records import Cell, pool_replicates
from optbench.report.format import numbers
from optbench.report.format.excerpt import excerpt
from optbench.report.format.palette import Look, assign_looks
from optbench.report.format.text_charts import mean_curve, sparkline
from optbench.report.terminal.board_view import answer_lines
from optbench.report.terminal.live_curves import LiveView, live
from optbench.report.terminal.optimizer_table import (
    SPARKLINE_WIDTH,
    curve_columns,
    lost_text,
    optimizer_table,
    study_line,
)
from optbench.support.text import one_line

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table
    from rich.text import Text

__all__ = ["LeaderboardView", "LiveView", "leaderboard_table", "live"]

BAR_WIDTH = 10
"""Characters of a bar of the score."""
FIXED_WIDTH = 52
"""Characters of the columns that are always shown, without the names."""


def leaderboard_table(
    board: Leaderboard,
    cells: Sequence[Cell] = (),
    *,
    verdicts: bool = True,
    sentences: int = 1,
) -> LeaderboardView:
    """Return the leaderboard as a renderable of rich.

    Args:
        board: The leaderboard.
        cells: The cells it was built from, for a sparkline of each regime in each row.
        verdicts: Whether sentences and cautions follow the table.
        sentences: Most sentences about one optimizer; those about the whole study are all shown.

    Example:
        >>> from rich.console import Console
        >>> Console().print(leaderboard_table(board, cells))  # doctest: +SKIP
    """
    return LeaderboardView(board, pool_replicates(excerpt(board, cells)[1]), verdicts, sentences)


@dataclass(frozen=True)
class LeaderboardView:
    """A rich renderable that leaves out columns where the terminal is too narrow for them."""

    board: Leaderboard
    cells: Sequence[Cell]
    verdicts: bool
    sentences: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        """Yield what rich prints at the width of the terminal."""
        if self.board.boards:
            yield from self._answer(options.max_width)
            return
        yield self._table(options.max_width)
        if self.verdicts:
            yield from self._words()

    def _answer(self, width: int) -> Iterator[Any]:
        from rich.text import Text

        board = self.board
        looks = assign_looks(row.label for row in board.overall)
        yield Text(study_line(board), style="bold")
        yield from answer_lines(board, looks, width)
        yield Text()
        yield optimizer_table(board, self.cells, looks, width)
        if self.verdicts:
            for warning in board.warnings:
                yield Text(f"! {one_line(warning)}", style="yellow")

    def _words(self) -> Iterator[Text]:
        from rich.text import Text

        counts: dict[str, int] = {}
        in_table = {place_text(self.board, row) for row in self.board.overall}
        for verdict in self.board.verdicts:
            if verdict.label and verdict.text in in_table:
                continue
            counts[verdict.label] = counts.get(verdict.label, 0) + 1
            if not verdict.label or counts[verdict.label] <= self.sentences:
                mark = "• " if verdict.label else ""
                yield Text(mark + one_line(verdict.text))
        for warning in self.board.warnings:
            yield Text(f"! {one_line(warning)}", style="yellow")

    def _table(self, width: int) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        board = self.board
        name = min(max([len(r.label) for r in board.overall] + [9]) + 2, max(width // 3, 14))
        lost = max((len(lost_text(row)) for row in board.overall), default=0)
        room = width - FIXED_WIDTH - name - max(lost - len("diverged"), 0)
        sparks = curve_columns(self.cells, room)
        bar = room - (SPARKLINE_WIDTH + 2) * len(sparks) >= BAR_WIDTH + 2
        caption = f"{count(len(board.workloads), 'workload')}, {count(board.seeds, 'seed')}"
        n = len({cell.workload.label for cell in self.cells if cell.evaluation})
        over = "workloads" if n >= len(board.workloads) else f"{n} of them"
        mean = f", mean over {over}" if n > 1 else ""
        caption += f"; curves: validation loss{mean}" if sparks else ""
        if not too_few_workloads(board):
            caption += "; optimizers that share a letter cannot be told apart"
        table = Table(
            title=Text(one_line(board.title)) if board.title else None,
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            caption=Text(caption),
            caption_justify="left",
        )
        table.add_column("place", no_wrap=True)
        table.add_column("optimizer", overflow="fold", min_width=name)
        for heading in [""] * bar + ["score", "ties", *sparks]:
            table.add_column(heading, no_wrap=True)
        table.add_column("solved", justify="right", no_wrap=True)
        table.add_column("diverged", justify="right", no_wrap=True)
        looks = assign_looks(row.label for row in board.overall)
        for row in board.overall:
            table.add_row(*_row(row, bar, sparks, looks[row.label]))
        return table


def _row(row: OverallRow, bar: bool, sparks: dict[str, list[Cell]], look: Look) -> Iterator[Text]:
    from rich.text import Text

    mark = (" *" if row.edges else "") + (" †" if row.partial else "")
    yield Text(numbers.place(*row.place), style="bold")
    yield Text.assemble(("● ", look.colour), (one_line(row.label), "bold"), mark)
    if bar:
        yield _bar(row.score.value or 0.0, look)
    yield Text(numbers.interval(row.score))
    yield Text(row.tie_groups)
    for cells in sparks.values():
        curve = mean_curve([c for c in cells if c.entrant.label == row.label])
        yield Text(sparkline(curve, SPARKLINE_WIDTH), style=look.colour)
    solved = next((t for t in row.times if t.axis == "examples"), None)
    yield Text(numbers.solved(solved, "/"))
    yield lost_text(row)


def _bar(share: float, look: Look) -> Text:
    from rich.text import Text

    eighths = round(min(max(share, 0), 1) * BAR_WIDTH * 8)
    full, rest = divmod(eighths, 8)
    letters = "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return Text.assemble((letters, look.colour), ("·" * (BAR_WIDTH - len(letters)), "dim"))
