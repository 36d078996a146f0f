"""The critical-difference picture joins exactly the entrants that a board does not tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from optbench.analysis import build_leaderboard
from optbench.analysis.board_rows import CriticalDifference
from optbench.records import StudyProtocol
from optbench.report.format.highlights import CROWD
from optbench.report.format.palette import REST, assign_looks, highlight
from optbench.report.plots import drawings, sheets, write_plot
from optbench.report.plots.critical_difference import draw_critical_difference
from optbench.report.plots.sheets import Sheet, draw_sheet
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


def crowd_sheet(n: int) -> tuple[CriticalDifference, list[str], Sheet]:
    """A picture of `n` entrants, of which the first six are best, and the labels it may name."""
    labels = tuple(f"entrant-{i:02}" for i in range(n))
    values = tuple(1 - 0.02 * i for i in range(n))
    bars = tuple(labels[i : i + 4] for i in range(0, n - 3, 2))
    cd = CriticalDifference(labels=labels, values=values, bars=bars, note="score")
    named = list(labels[:6] if n > CROWD else labels)
    looks = highlight(assign_looks(labels), named)
    return cd, named, draw_sheet(lambda: draw_critical_difference(cd, looks))


def test_a_crowd_names_the_best_few() -> None:
    """The others are grey marks on the line; so are the bars that join none of the named ones."""
    cd, named, sheet = crowd_sheet(40)
    (axes,) = sheet.axes
    written = {text.get_text().split("  ")[0] for text in axes.texts}
    assert {label for label in cd.labels if label in written} == set(named)
    (marks,) = axes.collections
    assert isinstance(marks, LineCollection)
    at = [float(np.asarray(line)[0, 0]) for line in marks.get_segments()]
    assert at == pytest.approx(cd.values[6:])
    bars = [line for line in axes.lines if line.get_solid_capstyle() == "round"]
    grey = [line.get_color() == REST for line in bars]
    assert grey == [not set(bar) & set(named) for bar in cd.bars]
    assert "Gray: the other 34" in sheet.figure.texts[1].get_text().replace("\n", " ")


def test_few_entrants_all_have_a_name() -> None:
    """Nothing is grey, and the text does not speak of grey."""
    cd, _, sheet = crowd_sheet(5)
    (axes,) = sheet.axes
    written = " ".join(text.get_text() for text in axes.texts)
    assert all(label in written for label in cd.labels)
    assert REST not in {line.get_color() for line in axes.lines}
    assert "Gray" not in sheet.figure.texts[1].get_text()


@pytest.mark.parametrize("step", [0.004, 0.02, 0.025, 0.1])
def test_all_ticks_have_the_same_decimals(step: float) -> None:
    """0.80 stands beside 0.84, not 0.8, and each says its value."""
    values = tuple(0.8 + step * k for k in (2, 0, -2))
    cd = CriticalDifference(labels=("a", "b", "c"), values=values, bars=(), note="score")
    sheet = draw_sheet(lambda: draw_critical_difference(cd, assign_looks("abc")))
    ticks = {
        float(text.get_position()[0]): text.get_text()
        for text in sheet.axes[0].texts
        if text.get_text().replace(".", "").isdigit()
    }
    assert len(ticks) >= 3
    assert len({len(text.partition(".")[2]) for text in ticks.values()}) == 1
    assert [float(text) for text in ticks.values()] == pytest.approx(list(ticks), abs=1e-9)


def test_one_replicate_has_no_such_picture() -> None:
    """Without verdicts nothing is told apart."""
    cells = make_cells(("a", "b"), ("iris",), seeds=2, trials=2)
    names = [n for n, _ in drawings(build_leaderboard(cells, StudyProtocol(), TARGETS), cells)]
    assert "critical-difference" not in names
