"""The figures behind the pictures of a study: order, verdicts, groups, bands."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from optbench.analysis.board_records import select_boards
from optbench.analysis.views.regime_groups import regime_groups
from optbench.analysis.views.score_grid import score_grid
from optbench.report.format.plot_kinds import KINDS
from optbench.report.plots import drawings
from optbench.report.plots.heat_map import HEADING_POINTS, headings_inches
from optbench.report.plots.marks import rest_band
from optbench.report.plots.pair_matrix import VERDICTS, verdict_codes
from optbench.report.plots.sheets import Sheet, draw_sheet, make_sheet
from optbench.report.plots.study_sheets import DRAW
from tests.report import samples

SIZES = (5, 40)


def picture(n: int, name: str, width: float | None = None) -> Sheet:
    """A sheet of a study of `n` entrants."""
    return draw_sheet(dict(drawings(*samples.entrants(n)))[name], width)


def tick_texts(axes: Axes, which: str) -> list[str]:
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1.get_text() or tick.label2.get_text()
        for tick in axis.get_major_ticks()
        if low - 1e-9 <= tick.get_loc() <= high + 1e-9
        and (tick.label1.get_text() or tick.label2.get_text())
    ]


def test_every_kind_can_be_drawn() -> None:
    """Names, restrictions and functions are listed in the same order."""
    assert list(KINDS) == list(DRAW)


@pytest.mark.parametrize("replicates", [1, 3])
def test_a_picture_of_boards_explains_what_it_has(replicates: int) -> None:
    """With one replicate there are dots alone: no interval, no place, nobody that may be best."""
    sheet = draw_sheet(dict(drawings(*samples.entrants(5, replicates)))["ranking"])
    told = " ".join(text.get_text() for text in sheet.figure.texts)
    assert ("No verdicts, and no intervals" in told) == (replicates == 1)
    assert ("95% interval" in told) == (replicates > 1)


@pytest.mark.parametrize("n", SIZES)
def test_the_score_map_has_the_rows_of_the_board_and_its_values(n: int) -> None:
    """Top down, best first; shades and numbers are the scores of the workloads."""
    board, _ = samples.entrants(n)
    (axes,) = picture(n, "score-map").axes
    final = select_boards(board.boards)[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == [row.label for row in final.rows]
    shades = axes.images[0].get_array()
    assert shades is not None
    grid = score_grid(board)
    assert np.array(shades) == pytest.approx(grid.scores)
    written = [text.get_text() for text in axes.texts]
    assert written == [f"{score:.2f}" for score in grid.scores.ravel()]
    points = [np.asarray(line.get_xydata()) for line in axes.lines if line.get_marker() == "x"]
    crosses = {(round(float(y)), round(float(x))) for each in points for x, y in each}
    assert crosses == {tuple(cell) for cell in np.argwhere(grid.lost > 0).tolist()}


@pytest.mark.parametrize("n", SIZES)
def test_the_matrix_of_pairs_is_the_table_of_pairs(n: int) -> None:
    """Each cell has the verdict of its pair, seen from the row; so have its marks."""
    board, cells = samples.entrants(n)
    sheets = {name: draw for name, draw in drawings(board, cells) if name.startswith("pairs")}
    boards = select_boards(board.boards)
    every = [axes for draw in sheets.values() for axes in draw_sheet(draw).axes]
    assert len(every) == len(boards)
    for axes, each in zip(every, boards, strict=True):
        codes = verdict_codes(each)
        shown = axes.images[0].get_array()
        assert shown is not None
        assert np.array(shown).tolist() == codes.tolist()
        labels = [row.label for row in each.rows]
        for pair in each.pairs:
            seen = VERDICTS[codes[labels.index(pair.first), labels.index(pair.second)]]
            mirrored = VERDICTS[codes[labels.index(pair.second), labels.index(pair.first)]]
            expected = {"better": (">", "<"), "equal": ("=", "="), "open": (".", ".")}
            assert (seen, mirrored) == expected[pair.verdict]
        marks = [c for c in axes.collections if isinstance(c, PathCollection)]
        assert [len(np.asarray(c.get_offsets())) for c in marks] == [
            int((codes == i).sum()) for i in range(3)
        ]


@pytest.mark.parametrize("n", SIZES)
def test_the_regimes_have_their_groups_top_down(n: int) -> None:
    """Every entrant is named once in each regime, within the box of its group."""
    board, _ = samples.entrants(n)
    groups = regime_groups(board.boards)
    assert groups is not None
    (axes,) = picture(n, "regimes").axes
    texts = [t for t in axes.texts if t.get_horizontalalignment() == "left"]
    boxes = sorted(axes.patches, key=lambda p: (round(p.get_x(), 6), p.get_y()))  # type: ignore[attr-defined]
    expected = [group for each in groups.groups for group in each]
    assert len(boxes) == len(expected)
    for box, group in zip(boxes, expected, strict=True):
        inside = [
            t for t in texts
            if box.get_x() <= t.get_position()[0] <= box.get_x() + box.get_width()  # type: ignore[attr-defined]
            and box.get_y() < t.get_position()[1] < box.get_y() + box.get_height()  # type: ignore[attr-defined]
        ]  # fmt: skip
        inside.sort(key=lambda t: t.get_position()[1])
        assert [t.get_text() for t in inside] == list(group)


@pytest.mark.parametrize("n", [5, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("width", [None, 3.25])
def test_every_axis_has_two_ticks_and_no_names_overlap(n: int, width: float | None) -> None:
    """In every picture of a study of 5 and of 40 entrants, also in a column of a paper."""
    for name, draw in drawings(*samples.entrants(n)):
        if width and name.startswith(("convergence", "lr-")) and not name.endswith("sgd"):
            continue  # the same picture with other curves
        sheet = draw_sheet(draw, width)
        assert width is None or sheet.figure.get_figwidth() == pytest.approx(width)
        sheet.figure.draw_without_rendering()  # writes the texts of ticks
        for axes in sheet.axes:
            if axes.axison:
                for which in "xy":
                    assert len(set(tick_texts(axes, which))) >= 2, (name, which)
        overlaps = overlapping(sheet)
        assert not overlaps, (name, overlaps[:3])
        sheet.close()


@pytest.mark.parametrize("name", ["momentum[lr=0.003]", "il" * 9])
def test_headings_have_the_height_of_their_letters(name: str) -> None:
    """A heading is as high as it is drawn, be its letters wide or narrow."""
    sheet = make_sheet("Headings")
    text = sheet.axes[0].text(0, 0, name, size=HEADING_POINTS, rotation=90)
    box = text.get_window_extent(sheet.figure.canvas.get_renderer())  # type: ignore[attr-defined]
    assert headings_inches(["a", name]) == pytest.approx(box.height / sheet.figure.dpi, rel=0.15)


def overlapping(sheet: Sheet) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap by more than a pixel, and texts outside the sheet."""
    renderer = sheet.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    texts = [t for t in sheet.figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    shown = []
    for text in texts:
        box = text.get_window_extent(renderer)
        if box.width > 0 and box.height > 0 and _is_drawn(text, sheet):
            shown.append((text.get_text(), box))
    found = [
        (text, "the edge") for text, box in shown
        if box.x0 < -1 or box.x1 > sheet.figure.bbox.x1 + 1
    ]  # fmt: skip
    boxes = np.array([[b.x0, b.y0, b.x1, b.y1] for _, b in shown])
    left, low, right, high = boxes.T
    wide = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    tall = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    # boxes have the height of the tallest letters, so neighbouring lines may touch
    heights = np.minimum((high - low)[:, None], high - low)
    for i, j in np.argwhere((wide > 2) & (tall > 0.35 * heights)).tolist():
        if i < j:
            found.append((shown[i][0], shown[j][0]))
    return found


def _is_drawn(text: Text, sheet: Sheet) -> bool:
    """Whether a text is no tick label outside the limits of its axis."""
    for axes in sheet.axes:
        if not axes.axison and text in axes.findobj(Text):
            return text in axes.texts or text is axes._left_title  # type: ignore[attr-defined]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if text in (tick.label1, tick.label2):
                    return bool(low - 1e-9 <= tick.get_loc() <= high + 1e-9)
    return True


def test_the_band_of_the_others_is_made_of_their_values() -> None:
    """At each position the edges are values of an entrant; a lost one counts as worst."""
    x = np.array([1.0, 2.0, 3.0])
    curves = [(x, np.full(3, float(k))) for k in range(1, 11)]
    curves[9] = (x, np.array([10.0, np.nan, np.inf]))
    low, mid, high = rest_band(curves, x)
    assert low.tolist() == [1, 1, 1]
    assert set(mid) <= {5.0, 6.0}
    assert high[0] == 9
    assert rest_band(curves[9:], x)[2].tolist() == [10, np.inf, np.inf]
    short = rest_band([(x[:2], np.array([1.0, 2.0]))], np.array([1.5, 2.5]))
    assert short[1][0] == 1.5
    assert np.isnan(short[1][1])
