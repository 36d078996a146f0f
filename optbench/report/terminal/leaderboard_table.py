"""The leaderboard in the terminal. rich obeys NO_COLOR by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell, pool_replicates
from optbench.report.format.excerpt import excerpt
from optbench.report.format.palette import assign_looks
from optbench.report.terminal.board_view import answer_lines
from optbench.report.terminal.live_curves import LiveView, live
from optbench.report.terminal.optimizer_table import optimizer_table, study_line
from optbench.support.text import one_line

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

__all__ = ["LeaderboardView", "LiveView", "leaderboard_table", "live"]


def leaderboard_table(board: Leaderboard, cells: Sequence[Cell] = ()) -> LeaderboardView:
    """Return the leaderboard as a renderable of rich.

    Args:
        board: The leaderboard.
        cells: The cells it was built from, for a sparkline of each regime in each row.

    Example:
        >>> from rich.console import Console
        >>> Console().print(leaderboard_table(board, cells))  # doctest: +SKIP
    """
    return LeaderboardView(board, pool_replicates(excerpt(board, cells)[1]))


@dataclass(frozen=True)
class LeaderboardView:
    """A rich renderable that leaves out columns where the terminal is too narrow for them."""

    board: Leaderboard
    cells: Sequence[Cell]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        """Yield what rich prints at the width of the terminal."""
        from rich.text import Text

        board, width = self.board, options.max_width
        looks = assign_looks(row.label for row in board.overall)
        yield Text(study_line(board), style="bold")
        yield from answer_lines(board, looks, width)
        yield Text()
        yield optimizer_table(board, self.cells, looks, width)
        for warning in board.warnings:
            yield Text(f"! {one_line(warning)}", style="yellow")
