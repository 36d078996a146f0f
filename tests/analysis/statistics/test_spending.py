"""The error rate of each look of a sequential study."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from optbench.analysis.statistics.spending import look_levels, spent


def test_the_levels_add_up_and_grow() -> None:
    """Four looks spend 5% in all, most of it at the last one."""
    levels = look_levels([4, 8, 16, 32])
    assert sum(levels) == pytest.approx(0.05)
    assert levels == sorted(levels)
    assert look_levels([10]) == [pytest.approx(0.05)]
    assert spent(0.0) == 0


def test_the_published_boundary_of_the_first_look() -> None:
    """Four equal looks: 4.333 (Lan & DeMets 1983), and the second total is that of 2.963."""
    assert spent(0.25) == pytest.approx(2 * ndtr(-4.333), rel=0.01)
    looks = np.random.default_rng(0).normal(size=(400_000, 4)).cumsum(axis=1)
    z = np.abs(looks / np.sqrt(np.arange(1, 5)))
    beyond = (z[:, :2] > [4.333, 2.963]).any(axis=1).mean()
    assert spent(0.5) == pytest.approx(beyond, abs=3e-4)
