"""Boards of a study that is analysed while it grows."""

from __future__ import annotations

import pytest

from optbench.analysis import build_leaderboard
from optbench.analysis.board_records import Board
from optbench.analysis.boards.board_looks import open_pairs
from optbench.analysis.statistics.spending import planned_looks
from optbench.records import Cell, Look, StudyProtocol
from tests.analysis.boards.test_board_tables import TARGETS
from tests.analysis.synthetic import make_cells

LABELS = ("alpha", "beta", "gamma")


def study(**options: object) -> list[Cell]:
    """Eight replicates of one clearly better entrant and two that are alike."""
    usual = {"skill": {"gamma": 1.0}, "workload_noise": 0.01, "tuning_noise": 0.2}
    return make_cells(
        **{"labels": LABELS, "trials": 2, "seeds": 2, "replicates": 8, **usual, **options}  # type: ignore[arg-type]
    )


def boards(cells: list[Cell], looks: list[Look]) -> tuple[Board, ...]:
    return build_leaderboard(cells, StudyProtocol(), TARGETS, looks=looks).boards


def test_a_verdict_is_reached_at_the_first_look_that_supports_it() -> None:
    """It stands afterwards, with the p-value of that look."""
    cells = study()
    first, second = planned_looks([4, 8], 8)
    early, late = boards(cells, [first])[0], boards(cells, [first, second])[0]
    assert early.pair("gamma", "alpha").verdict == "better"
    assert late.pair("gamma", "alpha").decided_at == 4
    assert late.pair("gamma", "alpha").p_adjusted == early.pair("gamma", "alpha").p_adjusted
    assert late.looks == (first, second)
    assert early.error_rate == pytest.approx(first.level)
    assert late.error_rate == pytest.approx(0.05)
    assert late.note.startswith("Look 2, at 8 replicates.")
    promise = "any false 'better' on a board is at most 5.0%, and so is that of any wrong 'equal'."
    assert promise in late.note


def test_a_look_sees_only_its_own_replicates() -> None:
    """A study that has grown further gives the same boards at an earlier look."""
    first = planned_looks([4, 8], 8)[:1]
    cells = study()
    few = [cell for cell in cells if cell.replicate < 4]
    assert boards(cells, first) == boards(few, first)


def test_an_entrant_without_further_runs_keeps_its_verdicts() -> None:
    """Its pairs stay closed, and those of the others are tested on."""
    cells = [c for c in study() if c.entrant.label != "gamma" or c.replicate < 4]
    board = boards(cells, planned_looks([4, 8], 8))[0]
    assert board.pair("gamma", "alpha").verdict == "better"
    assert board.pair("gamma", "alpha").units == 4
    assert board.pair("alpha", "beta").units == 8
    assert {row.label for row in board.rows if row.place == (1, 1)} == {"gamma"}


def test_a_look_without_a_level_decides_nothing() -> None:
    """A study that was interrupted before its first look has no verdicts and no intervals."""
    board = boards(study(), [Look(replicates=8, level=0.0)])[0]
    assert {pair.verdict for pair in board.pairs} == {"open"}
    assert all(row.low is None for row in board.rows)
    assert "interrupted before" in board.note


def test_open_pairs_are_those_of_two_boards() -> None:
    """Final loss and speed on these workloads, all regimes together."""
    pairs = open_pairs(boards(study(), planned_looks([4, 8], 8)[:1]))
    assert set(pairs) == {"final-loss", "speed"}
    assert ("gamma", "alpha") not in pairs["final-loss"]
