"""Sheets and their files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from optbench.report.format.palette import COLOURS
from optbench.report.plots import drawings, write_plot
from optbench.report.plots.sheet_fit import wrap_lines
from optbench.report.plots.sheets import Sheet, box_inches, draw_sheet, make_sheet, style
from tests.report import samples


def test_one_study_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    """A published plot changes in a diff only when its numbers do."""
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        name, draw = next(iter(drawings(*samples.study())))
        paths = write_plot(draw, folder / name, ("svg", "png"))
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]


def test_pixels_of_a_png_keep_the_colours_of_lines(tmp_path: Path) -> None:
    """A PNG has a palette, which is small; colours that mean something are not rounded."""

    def draw() -> Sheet:
        sheet = make_sheet("colours")
        for i, colour in enumerate(COLOURS):
            sheet.axes[0].plot([0, 1], [i, i], color=colour, linewidth=3)
        return sheet

    (path,) = write_plot(draw, tmp_path / "plot", ("png",))
    picture = Image.open(path)
    assert picture.mode == "P"
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    present = {row.tobytes().hex() for row in np.unique(pixels, axis=0)}
    assert {*(colour[1:] for colour in COLOURS), "ffffff"} <= present


def test_plots_leave_the_settings_of_matplotlib_alone() -> None:
    """A user's own plots look as before, and pyplot is never loaded."""
    # asking for the backend would choose one, and load pyplot
    script = (
        "import sys, matplotlib as mpl\n"
        "def now(): return {k: repr(mpl.rcParams[k]) for k in mpl.rcParams if k != 'backend'}\n"
        "before = now()\n"
        "from tests.report import samples; from optbench.report.plots import drawings\n"
        "from optbench.report.plots.sheets import draw_sheet\n"
        "draw_sheet(next(drawings(*samples.tiny()))[1])\n"
        "assert now() == before; assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_subtitles_are_broken_to_the_width_of_the_sheet() -> None:
    """No line is wider than the figure, whatever breaks the text came with."""
    words = "many words about how to read it " * 6 + "\nand more"
    with style():
        made = make_sheet("title", words, width=3.0)
        [_, subtitle] = made.figure.texts
        box = subtitle.get_window_extent()
    assert box.x1 <= made.figure.bbox.x1
    assert box.y0 > made.axes[0].get_window_extent().y1
    assert wrap_lines("short\nlines", 4, 0.1) == "short\nlines"


def test_a_bare_sheet_has_neither_title_nor_explanation() -> None:
    """The axes keep their size and their titles; the sheet is lower by the room of the head."""

    def made() -> Sheet:
        return make_sheet("Title", "Explanation.", n=2, titles=["left", "right"])

    full, bare = draw_sheet(made), draw_sheet(made, bare=True)
    assert [text.get_text() for text in full.figure.texts] == ["Title", "Explanation."]
    assert not bare.figure.texts
    assert [axes.get_title(loc="left") for axes in bare.axes] == ["left", "right"]
    for own, usual in zip(bare.axes, full.axes, strict=True):
        assert box_inches(own) == pytest.approx(box_inches(usual))
    assert bare.figure.get_figheight() < full.figure.get_figheight() - 0.4
