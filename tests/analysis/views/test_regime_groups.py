"""Groups of entrants that are not told apart, in each regime."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from optbench.analysis.views.regime_groups import board_groups, regime_groups
from optbench.records import REGIMES
from tests.report.board_samples import make_board, make_boards

VALUES = {
    "a": (0.90, 0.91, 0.92, 0.90, 0.91, 0.92),
    "b": (0.91, 0.90, 0.92, 0.91, 0.90, 0.92),
    "c": (0.70, 0.71, 0.72, 0.70, 0.71, 0.72),
    "d": (0.40, 0.80, 0.95, 0.30, 0.70, 0.95),
}


def test_who_is_open_against_the_best_is_in_the_first_group() -> None:
    """a and b differ by noise, c is behind a, and d varies so much that nothing can be said."""
    assert board_groups(make_board(VALUES)) == (("a", "b", "d"), ("c",))


def test_no_entrant_is_worse_than_the_first_of_its_group() -> None:
    """Those that may be the best come first; each entrant is in one group, in the board's order."""
    for board in make_boards([f"entrant-{i}" for i in range(20)]):
        best, *groups = board_groups(board)
        assert list(best) == [row.label for row in board.rows if row.may_be_best]
        others = [label for group in groups for label in group]
        assert others == [row.label for row in board.rows if not row.may_be_best] != []
        for group in groups:
            assert "better" not in {board.pair(group[0], other).verdict for other in group[1:]}
        for one, next_one in itertools.pairwise(groups):
            assert board.pair(one[0], next_one[0]).verdict == "better"


def test_the_first_group_has_those_that_may_be_the_best() -> None:
    """As the table of the page and the terminal: who is equal to the best, and yet behind, not."""
    board = make_board(VALUES)
    rows = [msgspec.structs.replace(row, may_be_best=row.label != "b") for row in board.rows]
    assert board.pair(*sorted("ab")).verdict != "better"
    marked = msgspec.structs.replace(board, rows=tuple(rows))
    first, second = board_groups(marked)[:2]
    assert list(first) == [row.label for row in rows if row.may_be_best]
    assert second[0] == "b"


def test_who_is_not_entered_in_a_regime_is_in_none_of_its_groups() -> None:
    """A full-batch method has a row on the boards of the other regimes, and no value there."""
    board = make_board(VALUES)
    rows = [*board.rows[:-1], msgspec.structs.replace(board.rows[-1], value=None, workloads=0)]
    partial = msgspec.structs.replace(board, rows=tuple(rows))
    missing = board.rows[-1].label
    assert missing in {label for group in board_groups(board) for label in group}
    assert missing not in {label for group in board_groups(partial) for label in group}


def test_the_groups_of_every_regime_stand_side_by_side() -> None:
    """A path is the group of an entrant in each regime; who is missing has none."""
    changed = {**VALUES, "a": VALUES["c"], "c": VALUES["a"]}
    del changed["d"]
    boards = [
        make_board(VALUES, regime="batch"),
        make_board(changed, regime="sgd"),
        make_board(VALUES, name="speed", regime="mini-batch"),
        make_board(VALUES),
    ]
    groups = regime_groups(boards)
    assert groups is not None
    assert groups.regimes == ("batch", "sgd")
    assert groups.path("a") == (1, 2)
    assert groups.path("b") == (1, 1)
    assert groups.path("d") == (1, None)


@pytest.mark.parametrize("replicates", [1, 4])
def test_without_verdicts_there_are_no_groups(replicates: int) -> None:
    """One replicate shows no spread, so nothing is told apart."""
    groups = regime_groups(make_boards(["a", "b", "c"], replicates, regimes=REGIMES))
    assert (groups is None) == (replicates == 1)
