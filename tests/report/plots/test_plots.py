"""Static plots: drawn without a warning from any study, with names that can be read."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

from optbench.report.format.palette import assign_looks
from optbench.report.plots import drawings, overview, write_plot
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming
from tests.report import samples

PNG = b"\x89PNG"


def test_a_plain_study_has_every_plot() -> None:
    """Ranking, curves and sensitivity for each regime, profiles, budget, flips, map."""
    names = [name for name, _ in drawings(*samples.study(initializers=("he-normal", "zeros")))]
    assert names == [
        "ranking",
        *(f"convergence-{r}" for r in ("batch", "mini-batch", "sgd")),
        *(f"lr-sensitivity-{r}" for r in ("batch", "mini-batch", "sgd")),
        "performance-profile",
        "budget",
        "critical-difference",
        "rank-flips",
        "optimizer-initializer",
        "bias-variance",
    ]


@pytest.mark.parametrize(
    "sample",
    [
        samples.hostile,
        lambda: samples.study(labels=("alone",), datasets=("iris",), seeds=1, regimes=("sgd",)),
        lambda: samples.study(diverging=1.0, datasets=("iris",), regimes=("sgd",)),
        lambda: samples.study(
            labels=tuple(f"optimizer-number-{i}" for i in range(12)),
            datasets=("iris",),
            regimes=("batch", "sgd"),
        ),
    ],
    ids=["hostile names", "one optimizer, one seed", "all diverged", "twelve long names"],
)
def test_odd_studies_are_drawn_too(
    sample: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a name nor a lost run breaks a plot (warnings are errors here)."""
    monkeypatch.setattr(base, "DPI", 40)  # what is drawn is the same, only smaller
    board, cells = sample()  # type: ignore[operator]
    drawn = dict(drawings(board, cells))
    assert next(iter(drawn)) == "ranking"
    for name, draw in drawn.items():
        write_plot(draw, tmp_path / name, ["png"])
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == PNG
    assert {path.stem for path in tmp_path.iterdir()} == set(drawn)


def test_one_study_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    """A published plot changes in a diff only when its numbers do."""
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        with base.style():
            name, draw = next(iter(drawings(*samples.study())))
            written.append([p.read_bytes() for p in draw().save(folder / name, ("svg", "png"))])
    assert written[0] == written[1]


def test_plots_leave_the_settings_of_matplotlib_alone() -> None:
    """A user's own plots look as before, and pyplot is never loaded."""
    # asking for the backend would choose one, and load pyplot
    script = (
        "import sys, matplotlib as mpl\n"
        "def now(): return {k: repr(mpl.rcParams[k]) for k in mpl.rcParams if k != 'backend'}\n"
        "before = now()\n"
        "from tests.report import samples; from optbench.report.plots import drawings, base\n"
        "with base.style(): next(drawings(*samples.tiny()))[1]()\n"
        "assert now() == before; assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0.01, 0.07),
)
def test_labels_keep_their_order_and_their_distance(wanted: list[float], gap: float) -> None:
    """Direct labels never overlap, and stand in the order of their curves."""
    placed = naming.spread(wanted, gap, 0.0, 1.0)
    in_order = [placed[i] for i in sorted(range(len(wanted)), key=lambda i: (wanted[i], i))]
    assert all(b - a >= gap - 1e-9 for a, b in pairwise(in_order))
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9


def test_labels_with_room_stay_where_they_belong() -> None:
    """What does not collide is not moved."""
    assert naming.spread([0.9, 0.1, 0.5], 0.1, 0, 1) == pytest.approx([0.9, 0.1, 0.5])


@given(st.floats(1e-12, 1e12), st.floats(1.02, 1e8))
def test_log_ticks_are_few_and_inside(low: float, factor: float) -> None:
    """A log axis never crowds, and no tick widens it."""
    ticks = base.log_ticks(low, low * factor)
    assert len(ticks) <= 8
    assert all(0.99 * low <= t <= 1.01 * low * factor for t in ticks)


def test_bars_end_at_the_scores_and_have_the_palette(tmp_path: Path) -> None:
    """The ranking shows the numbers of the leaderboard, best first, each in its colour."""
    board, _ = samples.study()
    seen = assign_looks(row.label for row in board.overall)
    with base.style():
        (axes,) = overview.ranking(board, seen).axes
    bars: Any = axes.patches  # rectangles
    assert [b.get_width() for b in bars] == pytest.approx([r.score.value for r in board.overall])
    colours = [tuple(int(255 * v + 0.5) for v in b.get_facecolor()[:3]) for b in bars]
    assert colours == [
        tuple(int(seen[r.label].colour[i : i + 2], 16) for i in (1, 3, 5)) for r in board.overall
    ]


def test_convergence_lines_are_the_medians() -> None:
    """A line goes through the medians over the seeds, at the examples where they were taken."""
    board, cells = samples.study()
    with base.style():
        made = dict(drawings(board, cells))["convergence-sgd"]()
    axes = made.axes[0]
    mine = [
        c
        for c in cells
        if c.workload.regime == "sgd" and c.workload.dataset == axes.get_title("left")
    ]
    runs = sorted(mine, key=lambda c: c.entrant.label)[0].evaluation
    expected = np.median([r.curve["val_loss"][1:] for r in runs], axis=0)
    (curves,) = (c for c in axes.collections if isinstance(c, LineCollection))
    x, y = np.asarray(curves.get_segments()[0]).T
    assert y == pytest.approx(expected)
    assert x == pytest.approx(runs[0].curve.examples[1:])


def test_subtitles_are_broken_to_the_width_of_the_sheet() -> None:
    """No line is wider than the figure, whatever breaks the text came with."""
    words = "many words about how to read it " * 6 + "\nand more"
    with base.style():
        made = base.sheet("title", words, width=3.0)
        [_, subtitle] = made.figure.texts
        box = subtitle.get_window_extent()
    assert box.x1 <= made.figure.bbox.x1
    assert box.y0 > made.axes[0].get_window_extent().y1
    assert base.fitted("short\nlines", 4) == "short\nlines"


def test_labels_of_curves_that_end_early_are_drawn_in_a_fixed_order() -> None:
    """Where they overlap, the same one lies on top in every process."""
    labels = [f"optimizer-{i}" for i in range(8)]
    with base.style():
        (axes,) = base.sheet("title").axes
        naming.label_ends(axes, dict.fromkeys(labels, (0.5, 0.5)), assign_looks(labels))
    assert [text.get_text() for text in axes.texts] == labels
