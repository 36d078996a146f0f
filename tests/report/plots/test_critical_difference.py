"""The critical-difference picture joins exactly the entrants that a board does not tell apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from optbench.analysis import build_leaderboard
from optbench.records import StudyProtocol
from optbench.report.plots import drawings, sheets, write_plot
from tests.analysis.boards.test_board_tables import TARGETS
from tests.analysis.synthetic import make_cells


@pytest.mark.parametrize("prefix", ["", "<b>a very long name of an optimizer $x_"])
def test_bars_join_those_that_share_a_letter(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bars are the letters of the final-loss board; the picture is drawn from them."""
    monkeypatch.setattr(sheets, "DPI", 40)
    labels = tuple(f"{prefix}{letter}" for letter in "abcdef")
    skill = {label: 0.1 * i for i, label in enumerate(labels)}
    cells = make_cells(
        labels, ("iris",), seeds=2, trials=2, skill=skill, replicates=6, tuning_noise=0.2
    )
    board = build_leaderboard(cells, StudyProtocol(), TARGETS)
    cd, final = board.critical_difference, board.boards[0]
    assert cd is not None
    assert cd.labels == tuple(row.label for row in final.rows)
    letters = sorted({letter for row in final.rows for letter in row.letters})
    groups = [tuple(row.label for row in final.rows if each in row.letters) for each in letters]
    assert cd.bars == tuple(group for group in groups if len(group) > 1) != ()
    for bar in cd.bars:
        pairs = [(a, b) for i, a in enumerate(bar) for b in bar[i + 1 :]]
        assert all(final.pair(a, b).verdict != "better" for a, b in pairs)
    draw = dict(drawings(board, cells))["critical-difference"]
    write_plot(draw, tmp_path / "cd", ["png"])
    assert (tmp_path / "cd.png").is_file()


def test_one_replicate_has_no_such_picture() -> None:
    """Without verdicts nothing is told apart."""
    cells = make_cells(("a", "b"), ("iris",), seeds=2, trials=2)
    names = [n for n, _ in drawings(build_leaderboard(cells, StudyProtocol(), TARGETS), cells)]
    assert "critical-difference" not in names
