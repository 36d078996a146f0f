"""Speedups between two entrants: small cases by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optbench.analysis.views.speedups import pooled_speedup, speedups

NAN, INF = math.nan, math.inf


def test_speedup_by_hand() -> None:
    """Twice as fast on every seed is 2x; the interval is as wide as the grid is coarse."""
    first, second = np.array([[10.0, 20, 30]]), np.array([[20.0, 40, 60]])
    step = np.full((1, 3), math.log(1.26))
    speedup = speedups(first, second, step, step)
    assert speedup.value[0] == pytest.approx(2)
    assert speedup.low[0] < 2 / 1.26
    exact = speedups(first, second, np.zeros((1, 3)), np.zeros((1, 3)))
    assert exact.low[0] == pytest.approx(2)


def test_speedup_is_unknown_where_anyone_missed_the_target() -> None:
    """A ratio with an infinite time is no number; missing seeds are left out."""
    zero = np.zeros((1, 3))
    with_a_miss = speedups(np.array([[10.0, INF, 30]]), np.array([[20.0, 40, 60]]), zero, zero)
    assert np.isnan(with_a_miss.value[0])
    with_a_gap = speedups(np.array([[10.0, NAN, 30]]), np.array([[20.0, 40, 60]]), zero, zero)
    assert with_a_gap.value[0] == pytest.approx(2)
    assert pooled_speedup(with_a_miss).value is None
