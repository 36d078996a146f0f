"""The numbers that the scripts of the page read."""

from __future__ import annotations

import msgspec
import pytest

from optbench.report.page.payload import page_data
from tests.report import samples


def test_the_axis_of_trials_ends_at_the_lowest_loss_that_is_no_outlier() -> None:
    """A trial with a loss near 0 keeps its value, and does not move the end of the axis."""
    board, cells = samples.study()
    first = board.lr_curves[0]
    peers = [curve for curve in board.lr_curves if curve.workload == first.workload]
    lowest = min(loss for curve in peers for loss in curve.loss)
    near_zero = msgspec.structs.replace(first, lr=(*first.lr, 10.0), loss=(*first.loss, 1e-11))
    outlying = msgspec.structs.replace(board, lr_curves=(near_zero, *board.lr_curves[1:]))
    plain, changed = (page_data(each, cells)["lr"][0] for each in (board, outlying))
    assert plain["floor"] == pytest.approx(lowest, rel=1e-3)
    assert changed["floor"] == pytest.approx(plain["floor"])
    assert changed["loss"][-1] < changed["floor"]
