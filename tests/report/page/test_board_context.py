"""Panels of the page: names broken where they may be, dots that tell entrants apart."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.leaderboard import Leaderboard
from optbench.report.format.palette import assign_looks
from optbench.report.page.board_context import board_groups
from optbench.report.page.render import report_html
from tests.report import samples


def panels(board: Leaderboard) -> list[dict[str, Any]]:
    return list(board_groups(board)[0]["panels"])


def test_a_full_dot_needs_a_target_that_was_reached() -> None:
    """An entrant that never reached the target may be the best only for want of data."""
    board, _ = samples.entrants(5)
    speed = next(each for each in select_boards(board.boards) if each.name == "speed")
    rows = tuple(
        msgspec.structs.replace(row, may_be_best=True, details={**row.details, "solved": solved})
        for row, solved in zip(speed.rows, (1.0, 0.0, 0.5, 0.0, 1.0), strict=True)
    )
    changed = msgspec.structs.replace(speed, rows=rows)

    def swap(each: Board) -> Board:
        return changed if each is speed else each

    changed_board = msgspec.structs.replace(board, boards=tuple(map(swap, board.boards)))
    panel = next(p for p in panels(changed_board) if p["name"] == "speed")
    assert [row["dot"] for row in panel["rows"]] == ["", " behind", "", " behind", ""]


def test_names_are_broken_between_their_parts() -> None:
    """Every part fits into the column; no number and no word is torn."""
    board, _ = samples.study()
    long = "momentum[lr=0.003,beta=0.95]"
    boards = tuple(
        msgspec.structs.replace(
            each, rows=(msgspec.structs.replace(each.rows[0], label=long), *each.rows[1:]), pairs=()
        )
        for each in board.boards
    )
    for panel in panels(msgspec.structs.replace(board, boards=boards)):
        assert panel["rows"][0]["parts"] == ["momentum", "[lr=0.003,", "beta=0.95]"]
        assert panel["name_width"] > 9 * len("[lr=0.003,")
    name = board.boards[0].rows[0].label
    assert f"{name}<wbr>" in report_html(board, (), environment={}, command="")


def test_dots_of_one_colour_have_different_shapes() -> None:
    """With 30 entrants and 8 colours, no two have the same dot."""
    board, _ = samples.entrants(30)
    page = report_html(board, (), environment={}, command="")
    table = page.partition('class="ranks"')[2].partition("</table>")[0]
    dots = re.findall(r'--c:(#\w+).*?class="dot-line (\w+)', table)
    assert len(dots) == len(set(dots)) == 30
    looks = assign_looks(row.label for row in board.overall)
    assert {colour for colour, _ in dots} == {look.colour for look in looks.values()}
