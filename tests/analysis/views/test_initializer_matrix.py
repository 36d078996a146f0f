"""The optimizer x initializer matrix."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from optbench.analysis import build_leaderboard
from optbench.records import StudyProtocol
from tests.analysis.synthetic import make_cells


def test_the_matrix_shows_a_bad_initializer() -> None:
    """One yardstick for all initializers: the one on which all diverge scores 0."""
    good = make_cells(("alpha", "beta"), initializers=("he-normal",))
    bad = make_cells(
        ("alpha", "beta"), initializers=("huge",), diverging={"alpha": 1.0, "beta": 1.0}
    )
    matrix = build_leaderboard(good + bad, StudyProtocol()).matrix
    assert matrix is not None
    assert matrix.initializations == ("he-normal", "huge")
    assert all((row[0] or 0) > 0.5 and row[1] == 0 for row in matrix.score)
    assert all(row == (0.0, 1.0) for row in matrix.divergence)
    assert build_leaderboard(good, StudyProtocol()).matrix is None


def test_the_matrix_measures_every_initializer_on_the_same_scale() -> None:
    """On the worse initializer the best run is not as good as the best run of all."""
    cells = make_cells(("alpha",), ("moons",), ("batch",), initializers=("he-normal", "slow"))
    slow = replace(
        cells[1], evaluation=tuple(replace(r, test_loss=0.8) for r in cells[1].evaluation)
    )
    board = build_leaderboard([cells[0], slow], StudyProtocol())
    assert board.matrix is not None
    good, bad = board.matrix.score[0]
    assert good is not None
    assert bad == pytest.approx(math.log(1.1 / 0.8) / math.log(1.1 / board.workloads[0].best_loss))  # type: ignore[operator]
    assert board.workloads[1].rows[0].score.value == pytest.approx(bad)


def test_initializers_are_compared_on_the_problems_that_they_share() -> None:
    """A problem of one initializer says nothing about the other, and is left out."""
    both = make_cells(("alpha",), ("moons",), initializers=("he-normal", "slow"))
    one = make_cells(
        ("alpha",), ("spirals",), initializers=("he-normal",), diverging={"alpha": 1.0}
    )
    matrix = build_leaderboard(both + one, StudyProtocol()).matrix
    assert matrix is not None
    assert matrix.divergence == ((0.0, 0.0),)
    other = make_cells(("alpha",), ("spirals",), initializers=("slow",))
    apart = make_cells(("alpha",), ("moons",), initializers=("he-normal",))
    assert build_leaderboard(apart + other, StudyProtocol()).matrix is None
