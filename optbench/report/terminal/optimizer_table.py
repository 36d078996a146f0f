"""The optimizers of a study in the terminal: curves, solved workloads and lost runs of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.board_rows import OverallRow
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.board_text import SHORT_TITLES
from optbench.analysis.words.cautions import unfinished_caution
from optbench.records import REGIMES, Cell
from optbench.report.format import numbers
from optbench.report.format.board_layout import place_text
from optbench.report.format.palette import Look
from optbench.report.format.text_charts import curve_ends, curve_limits, mean_curve, sparkline
from optbench.report.terminal.board_panels import MOST_ROWS
from optbench.support.text import count, join_names, one_line

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

SPARKLINE_WIDTH = 12
"""Characters of a sparkline."""
FIXED_WIDTH = 18
"""Characters of the columns that are always shown, without the names."""
PLACE_WIDTH = 9
"""Characters of a column of places."""


def study_line(board: Leaderboard) -> str:
    """Return what the study consists of, in one line."""
    replicates, seeds = board.protocol.replicates, board.protocol.seeds
    parts = [
        count(len(board.overall), "optimizer"),
        count(len(board.workloads), "workload"),
        count(replicates, "replicate") + f" of {count(seeds, 'seed')}",
        count(board.runs, "run"),
    ]
    title = f"{one_line(board.title)}: " if board.title else ""
    state = unfinished_caution(board)
    return title + ", ".join(parts) + (f" ({state})" if state else "")


def optimizer_table(
    board: Leaderboard, cells: Sequence[Cell], looks: Mapping[str, Look], width: int
) -> Table:
    """Return a table with one row for each optimizer.

    With more optimizers than the panels show, it has everyone's places on the boards.

    Args:
        board: The leaderboard.
        cells: Cells whose curves are drawn.
        looks: Label -> look.
        width: Columns of the terminal.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    boards = select_boards(board.boards)
    places = boards if len(board.overall) > MOST_ROWS else []
    name = min(max([len(row.label) for row in board.overall] + [9]) + 2, max(width // 3, 14))
    room = width - FIXED_WIDTH - name - PLACE_WIDTH * len(places)
    sparks = curve_columns(cells, room)
    over = mean_note([len({cell.workload.label for cell in group}) for group in sparks.values()])
    notes = (
        [f"curves: validation loss along the run, on one scale up to its start{over}"]
        if sparks
        else []
    )
    notes.append("solved: workloads on which the median run reached the target")
    if any(row.edges for row in board.overall):
        notes.append("*: the best value of a hyperparameter lies at the edge of its range")
    if any(row.partial for row in board.overall):
        notes.append("†: not evaluated on all workloads")
    caption = "; ".join(notes)
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        caption=Text(caption) if caption else None,
        caption_justify="left",
    )
    table.add_column("optimizer", overflow="fold", min_width=min(name, width // 3))
    for each in places:
        table.add_column(SHORT_TITLES[each.name], justify="right", no_wrap=True)
    for heading in sparks:
        table.add_column(heading, no_wrap=True)
    for heading in ("solved", "lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    curves = [_curves(board, cells) for cells in sparks.values()]
    for row in _ordered(board, boards):
        table.add_row(*_row(row, places, curves, looks[row.label]))
    return table


def mean_note(workloads: Sequence[int]) -> str:
    """Return over how many workloads the curves of each column are means.

    Example:
        >>> mean_note([3, 3]), mean_note([2, 3, 3])
        (' (mean of 3 workloads each)', ' (mean of 2, 3 and 3 workloads)')
    """
    if max(workloads, default=0) < 2:
        return ""
    each = " each" if len(workloads) > 1 and len(set(workloads)) == 1 else ""
    numbers = [str(n) for n in (workloads[:1] if len(set(workloads)) == 1 else workloads)]
    return f" (mean of {join_names(numbers)} workloads{each})"


def _ordered(board: Leaderboard, boards: Sequence[Board]) -> list[OverallRow]:
    """Return the rows in the order of the first board."""
    order = {row.label: i for i, row in enumerate(boards[0].rows)} if boards else {}
    return sorted(board.overall, key=lambda row: order.get(row.label, len(order)))


def curve_columns(cells: Sequence[Cell], room: int) -> dict[str, list[Cell]]:
    """Return heading -> cells of a sparkline: one for each regime, or one for all."""
    regimes: dict[str, list[Cell]] = {
        regime: [c for c in cells if c.workload.regime == regime and c.evaluation]
        for regime in REGIMES
    }
    regimes = {regime: group for regime, group in regimes.items() if group}
    if regimes and room >= (SPARKLINE_WIDTH + 2) * len(regimes):
        return regimes
    if regimes and room >= SPARKLINE_WIDTH + 2:
        return {"curve": [c for group in regimes.values() for c in group]}
    return {}


def _curves(board: Leaderboard, cells: Sequence[Cell]) -> dict[str, str]:
    """Return the sparkline of each optimizer, all of them on one scale."""
    ends = curve_ends(cells)
    curves = {
        row.label: mean_curve([c for c in cells if c.entrant.label == row.label], ends=ends)
        for row in board.overall
    }
    limits = curve_limits(curves.values())
    return {label: sparkline(y, SPARKLINE_WIDTH, limits=limits) for label, y in curves.items()}


def _row(
    row: OverallRow, places: Sequence[Board], curves: Sequence[Mapping[str, str]], look: Look
) -> Iterator[Text]:
    from rich.text import Text

    mark = (" *" if row.edges else "") + (" †" if row.partial else "")
    yield Text.assemble(("■ ", look.colour), (one_line(row.label), "bold"), mark)
    for board in places:
        on_board = next((r for r in board.rows if r.label == row.label), None)
        yield Text(place_text(board, on_board) if on_board else numbers.UNKNOWN)
    for column in curves:
        yield Text(column[row.label], style=look.colour)
    solved = next((t for t in row.times if t.axis == "examples"), None)
    yield Text(numbers.solved(solved, "/"))
    yield lost_text(row)


def lost_text(row: OverallRow) -> Text:
    """Return ``3/15``, and apart from it the failed runs, which say nothing about the steps."""
    from rich.text import Text

    total, diverged = row.divergence.total, row.divergence.count - row.failed
    parts = [f"{diverged}/{total}"] if diverged else [] if row.failed else ["0"]
    parts += [f"failed {row.failed}/{total}"] if row.failed else []
    return Text(", ".join(parts), style="red" if row.divergence.count else "")
