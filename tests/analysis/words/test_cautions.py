"""What a reader must know before believing a leaderboard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optbench.analysis import build_leaderboard
from optbench.records import StudyProtocol
from optbench.suites import Target
from tests.analysis.synthetic import make_cells


def test_an_entrant_with_fewer_replicates_is_named() -> None:
    """The board counts the replicates that each has."""
    cells = [
        replace(cell, replicate=r)
        for cell in make_cells(("alpha", "beta", "gamma"), ("moons",), ("batch",))
        for r in range(1 if cell.entrant.label == "beta" else 3)
    ]
    board = build_leaderboard(cells, StudyProtocol(replicates=3), {})
    expected = "beta has 1 of 3 replicates: pairs are compared on the replicates that both have"
    assert expected in board.warnings


def test_a_target_that_nobody_reaches_is_named() -> None:
    """Also where it is the only workload, and a high score could be taken for success."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch",))
    workload = cells[0].workload
    out_of_reach = Target(easy=1e-9, medium=1e-9, hard=1e-9)
    targets = {(workload.dataset, workload.network): out_of_reach}
    board = build_leaderboard(cells, StudyProtocol(), targets)
    expected = "no entrant reached the medium target in most of its runs on moons"
    assert any(expected in text for text in board.warnings)


@pytest.mark.parametrize(
    ("seeds", "caution"),
    [
        (1, "alpha: the only run diverged; it scores 0"),
        (2, "alpha: all 2 runs diverged; they score 0"),
    ],
)
def test_one_run_is_told_in_the_singular(seeds: int, caution: str) -> None:
    """Verb and pronoun agree with the number of runs."""
    cells = make_cells(("alpha",), ("moons",), ("batch",), seeds=seeds, diverging={"alpha": 1.0})
    assert caution in build_leaderboard(cells, StudyProtocol(), {}).warnings
