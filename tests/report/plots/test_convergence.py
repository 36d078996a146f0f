"""Convergence curves."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from optbench.report.format.curve_bands import Band
from optbench.report.plots import drawings
from optbench.report.plots.convergence import loss_limits
from optbench.report.plots.sheets import draw_sheet
from tests.report import samples


def test_convergence_lines_are_the_medians() -> None:
    """A line goes through the medians over the seeds, at the examples where they were taken."""
    board, cells = samples.study()
    axes = draw_sheet(dict(drawings(board, cells))["convergence-sgd"]).axes[0]
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


def test_others_that_diverge_do_not_flatten_the_named_ones() -> None:
    """The axis ends not far above the highest of those that have a name."""
    x = np.array([1.0, 2.0, 4.0])
    falling, growing = np.array([3.0, 1.0, 0.3]), np.array([3.0, 1e4, 1e9])
    sharp, wild = Band(x, falling, falling, falling), Band(x, growing, growing, growing)
    limits = loss_limits([sharp, wild], [sharp])
    assert limits is not None
    assert limits[0] < 0.3
    assert 3 < limits[1] < 30
    everyone = loss_limits([sharp, wild], [sharp, wild])
    assert everyone is not None
    assert everyone[1] > 1e9
