"""What a reader must know before believing a leaderboard."""

from __future__ import annotations

from optbench.analysis import build_leaderboard
from optbench.records import StudyProtocol
from optbench.suites import Target
from tests.analysis.synthetic import make_cells


def test_a_target_that_nobody_reaches_is_named() -> None:
    """Also where it is the only workload, and a high score could be taken for success."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch",))
    workload = cells[0].workload
    out_of_reach = Target(easy=1e-9, medium=1e-9, hard=1e-9)
    targets = {(workload.dataset, workload.network): out_of_reach}
    board = build_leaderboard(cells, StudyProtocol(), targets)
    assert any("no entrant reached the medium target on moons" in text for text in board.warnings)
