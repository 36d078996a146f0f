"""The scale of bias and variance."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.scale import AsinhTransform

from optbench.analysis.views.bias_variance import HIGH
from optbench.report.format.loss_source_scale import (
    LINEAR_WIDTH,
    TICKS,
    scale_limits,
    squeeze,
    ticks_within,
)


def test_the_scale_is_that_of_matplotlib_up_to_a_factor() -> None:
    """The pictures in files use its scale, the page the function."""
    shares = np.linspace(-3, 30, 101)
    there = AsinhTransform(LINEAR_WIDTH).transform_non_affine(shares)
    assert squeeze(shares) * LINEAR_WIDTH == pytest.approx(there)


@pytest.mark.parametrize("shares", [[], [0.02, 0.05], [-0.3], [0.4, 0.9], [-9.0, 200.0]])
def test_an_axis_has_ticks_at_0_and_at_the_limit_of_high(shares: list[float]) -> None:
    """Whatever is drawn, the reader sees two round numbers, and on which side a point lies."""
    low, high = scale_limits(shares)
    assert all(low < share < high for share in shares)
    assert {0, HIGH} <= set(ticks_within(low, high)) <= set(TICKS)
