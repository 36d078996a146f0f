"""Titles of the panels of a sheet fit their panels."""

from __future__ import annotations

from itertools import pairwise

import pytest

from optbench.report.plots.regime_sheets import make_regime_sheet
from optbench.report.plots.sheet_fit import sheet_width, wrap_all

TITLES = (
    "digits, 32-32-32-32 tanh, xavier-normal, B=32, 3 epochs",
    "sparse-text-like, 16 relu, he-normal, B=32, 3 epochs",
    "moons",
    "word" * 40,
)


def test_titles_are_wrapped_between_words_and_never_cut() -> None:
    """As wide as the panel allows; a word that is wider is broken at a hyphen, if it has one."""
    short, wrapped, hyphened, endless = wrap_all(
        ("moons", TITLES[0], "schedule-free-adamw", TITLES[3]), 1.3, 0.088
    )
    assert short == "moons"
    assert wrapped.replace("\n", " ") == TITLES[0]
    assert hyphened == "schedule-free-\nadamw"
    assert endless.replace("\n", "") == TITLES[3]
    assert max(len(line) for text in (wrapped, endless) for line in text.split("\n")) <= 14


@pytest.mark.parametrize("width", [None, 3.25, 9.0])
def test_no_title_runs_into_the_next_panel_or_the_one_above(width: float | None) -> None:
    """Measured in the drawn figure."""
    with sheet_width(width):
        sheet = make_regime_sheet("title", "subtitle", TITLES, ["a"], columns=2, xlabel="x")
    renderer = sheet.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [axes._left_title for axes in sheet.axes]  # type: ignore[attr-defined]
    extents = [title.get_window_extent(renderer) for title in boxes]
    for row in range(0, len(TITLES), sheet.columns):
        for left, right in pairwise(extents[row : row + sheet.columns]):
            assert left.x1 < right.x0
    for above, below in zip(sheet.axes, extents[sheet.columns :], strict=False):
        assert below.y1 < above.get_window_extent(renderer).y0
    assert max(extent.x1 for extent in extents) < sheet.figure.bbox.x1
    sheet.close()
