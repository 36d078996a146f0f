"""Axes with few round ticks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.report.plots.scales import log_ticks, tick_text


@given(st.floats(1e-12, 1e12), st.floats(1.02, 1e8))
def test_log_ticks_are_few_and_inside(low: float, factor: float) -> None:
    """A log axis never crowds, and no tick widens it."""
    ticks = log_ticks(low, low * factor)
    assert len(ticks) <= 8
    assert all(0.99 * low <= t <= 1.01 * low * factor for t in ticks)


@pytest.mark.parametrize(
    ("low", "high"), [(1, 2), (0.9, 1.1), (0.0512, 0.0515), (4.1, 4.9), (1e-5, 3e-5), (1e-8, 1e8)]
)
def test_every_axis_has_two_different_labels(low: float, high: float) -> None:
    """However narrow its range, an axis can be read."""
    ticks = log_ticks(low, high)
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    assert len({tick_text(tick) for tick in ticks}) >= 2


@given(st.floats(1e-9, 1e9), st.floats(1.1, 1e9), st.integers(2, 6))
def test_an_axis_has_two_ticks_and_not_more_than_fit(low: float, factor: float, most: int) -> None:
    """However few ticks have room, and however wide the range is."""
    ticks = log_ticks(low, low * factor, most)
    assert 2 <= len(ticks) <= most
    assert len(set(ticks)) == len(ticks)
