"""Axes with few round ticks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optbench.report.plots.scales import log_ticks


@given(st.floats(1e-12, 1e12), st.floats(1.02, 1e8))
def test_log_ticks_are_few_and_inside(low: float, factor: float) -> None:
    """A log axis never crowds, and no tick widens it."""
    ticks = log_ticks(low, low * factor)
    assert len(ticks) <= 8
    assert all(0.99 * low <= t <= 1.01 * low * factor for t in ticks)
