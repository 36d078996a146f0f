"""Optimizer x workload: the rows of the board, and the values of its tables."""

from __future__ import annotations

import numpy as np
import pytest

from optbench.analysis import build_leaderboard
from optbench.analysis.board_records import select_boards
from optbench.analysis.views.score_grid import score_grid
from optbench.records import StudyProtocol
from tests.analysis.synthetic import make_cells


def test_rows_are_those_of_the_board_and_columns_go_from_easy_to_hard() -> None:
    """The mean of a row is the value of its entrant on the board."""
    cells = make_cells(("alpha", "beta", "gamma"), skill={"gamma": 0.8}, replicates=2)
    board = build_leaderboard(cells, StudyProtocol(replicates=2))
    final = select_boards(board.boards)[0]
    grid = score_grid(board)
    assert grid.labels == tuple(row.label for row in final.rows)
    assert grid.scores.mean(axis=1) == pytest.approx([row.value for row in final.rows])
    assert (np.diff(grid.scores.mean(axis=0)) <= 0).all()
    by_label = {each.label: each for each in board.workloads}
    for j, workload in enumerate(grid.workloads):
        of_row = {row.label: row.score.value for row in by_label[workload.label].rows}
        assert [of_row[label] for label in grid.labels] == grid.scores[:, j].tolist()


def test_what_was_not_trained_has_no_score_and_lost_runs_are_counted() -> None:
    """beta is missing on one dataset; half of its runs on the other are lost."""
    cells = make_cells(
        ("alpha", "beta"), ("iris", "moons"), ("sgd",), seeds=12, diverging={"beta": 0.5}
    )
    cells = [c for c in cells if (c.entrant.label, c.workload.dataset) != ("beta", "moons")]
    grid = score_grid(build_leaderboard(cells, StudyProtocol()))
    row = grid.labels.index("beta")
    missing = [workload.dataset == "moons" for workload in grid.workloads]
    assert np.isnan(grid.scores[row]).tolist() == missing
    lost = next(c.evaluation for c in cells if c.entrant.label == "beta")
    share = np.mean([run.status != "ok" for run in lost])
    assert 0 < share < 1
    assert grid.lost[row][~np.array(missing)].tolist() == [share]
