"""Captions of the boards."""

from __future__ import annotations

import pytest

from optbench.analysis import build_leaderboard
from optbench.analysis.words.board_text import best_loss_text, caption
from optbench.records import StudyProtocol
from optbench.suites import Target, Targets
from tests.analysis.synthetic import make_cells

FROZEN = Target(easy=0.8, medium=0.6, hard=0.4, best_train=0.1, best_val=0.3, best_test=0.3)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((), "the lowest median loss of an optimizer in this study"),
        (("iris",), "the best known loss, which is frozen for 3 of 6 workloads"),
        (("iris", "moons"), "the frozen best known loss"),
    ],
)
def test_a_caption_says_of_what_a_score_is(known: tuple[str, ...], expected: str) -> None:
    """The loss with score 1 is called frozen only where it was frozen before the study."""
    cells = make_cells(("alpha", "beta"), ("iris", "moons"))
    networks = {cell.workload.network for cell in cells}
    targets: Targets = {(dataset, network): FROZEN for dataset in known for network in networks}
    board = build_leaderboard(cells, StudyProtocol(), targets)
    best = best_loss_text(board.workloads)
    assert best == expected
    assert f"from guessing (0) to {expected} (1)" in caption("final-loss", best=best)
