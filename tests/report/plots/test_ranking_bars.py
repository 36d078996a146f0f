"""The bars of the ranking, and the texts beside them."""

from __future__ import annotations

from typing import Any

import pytest

from optbench.report.format.palette import assign_looks
from optbench.report.plots.ranking_bars import draw_ranking, short_letters
from optbench.report.plots.sheets import draw_sheet
from tests.report import samples


def test_bars_end_at_the_scores_and_have_the_palette() -> None:
    """The ranking shows the numbers of the leaderboard, best first, each in its colour."""
    board, _ = samples.study()
    looks = assign_looks(row.label for row in board.overall)
    (axes,) = draw_sheet(lambda: draw_ranking(board, looks)).axes
    bars: Any = axes.patches  # rectangles
    assert [b.get_width() for b in bars] == pytest.approx([r.score.value for r in board.overall])
    colours = [tuple(int(255 * v + 0.5) for v in b.get_facecolor()[:3]) for b in bars]
    assert colours == [
        tuple(int(looks[r.label].colour[i : i + 2], 16) for i in (1, 3, 5)) for r in board.overall
    ]


@pytest.mark.parametrize(
    ("letters", "short"),
    [("", ""), ("a", "a"), ("ab", "ab"), ("abc", "a-c"), ("abcdik", "a-dik"), ("bdghij", "bdg-j")],
)
def test_runs_of_three_and_more_are_shortened(letters: str, short: str) -> None:
    """Runs keep their ends; everything else stays as it is."""
    assert short_letters(letters) == short
