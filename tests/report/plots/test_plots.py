"""Static plots: drawn without a warning from any study, with names that can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text

from optbench.report.format.highlights import MOST_HIGHLIGHTS, highlights
from optbench.report.plots import drawings, sheets, write_plot
from optbench.report.plots.marks import line_style
from optbench.report.plots.sheets import draw_sheet
from optbench.report.plots.study_sheets import PlotSource
from tests.report import samples

PNG = b"\x89PNG"


def test_a_plain_study_has_every_plot() -> None:
    """Ranking, scores, curves and sensitivity for each regime, profiles, targets, budget, map."""
    names = [name for name, _ in drawings(*samples.study(initializers=("he-normal", "zeros")))]
    assert names == [
        "ranking",
        "score-map",
        *(f"convergence-{r}" for r in ("batch", "mini-batch", "sgd")),
        *(f"lr-sensitivity-{r}" for r in ("batch", "mini-batch", "sgd")),
        "performance-profile",
        "ecdf",
        "budget",
        "optimizer-initializer",
        "bias-variance",
    ]


@pytest.mark.parametrize(
    "sample",
    [
        samples.hostile,
        lambda: samples.with_boards(samples.study()),
        lambda: samples.study(labels=("alone",), datasets=("iris",), seeds=1, regimes=("sgd",)),
        lambda: samples.study(diverging=1.0, datasets=("iris",), regimes=("sgd",)),
        lambda: samples.study(
            labels=tuple(f"optimizer-number-{i}" for i in range(12)),
            datasets=("iris",),
            regimes=("batch", "sgd"),
        ),
    ],
    ids=[
        "hostile names",
        "boards with brackets",
        "one optimizer, one seed",
        "all diverged",
        "twelve long names",
    ],
)
def test_odd_studies_are_drawn_too(
    sample: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a name nor a lost run breaks a plot (warnings are errors here)."""
    monkeypatch.setattr(sheets, "DPI", 40)  # what is drawn is the same, only smaller
    board, cells = sample()  # type: ignore[operator]
    drawn = dict(drawings(board, cells))
    assert next(iter(drawn)) == "ranking"
    for name, draw in drawn.items():
        write_plot(draw, tmp_path / name, ["png"])
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == PNG
    assert {path.stem for path in tmp_path.iterdir()} == set(drawn)


def test_a_crowded_picture_names_the_best_few_and_shows_the_others_in_grey() -> None:
    """Of 28 entrants, curves of six have a name and a colour of their own."""
    labels = tuple(f"entrant-{i:02}" for i in range(28))
    board, cells = samples.with_boards(samples.study(labels, ("iris",)))
    best = highlights(board)
    assert len(best) == MOST_HIGHLIGHTS
    crowded = ("convergence-sgd", "performance-profile", "budget", "ecdf")
    pictures = dict(drawings(board, cells))
    for name in crowded:
        figure = draw_sheet(pictures[name]).figure
        texts = {text.get_text().replace("\n", " ") for text in figure.findobj(Text)}
        assert {label for label in texts if label in labels} == set(best), name
        assert any(
            "Gray: the middle 80% of the other 22." in text.replace("\n", " ") for text in texts
        ), name


def test_a_curve_has_one_style_in_every_picture() -> None:
    """Colour, dashes and width of an entrant are those of its look, wherever it has a curve."""
    board, cells = samples.study()
    looks = PlotSource(board, cells).lit
    pictures = dict(drawings(board, cells))
    for name in ("performance-profile", "ecdf", "budget"):
        for axes in draw_sheet(pictures[name]).axes:
            drawn = [line for line in axes.lines if np.size(line.get_xdata()) > 2]
            curves = {line.get_color(): line for line in drawn}
            assert set(curves) == {look.colour for look in looks.values()}, name
            for look in looks.values():
                expected = Line2D([], [], **line_style(look))
                curve = curves[look.colour]
                assert curve.get_linewidth() == expected.get_linewidth(), name
                assert curve.get_linestyle() == expected.get_linestyle(), name
