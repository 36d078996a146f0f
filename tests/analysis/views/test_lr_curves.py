"""Trials against their learning rate."""

from __future__ import annotations

import math

from optbench.analysis import build_leaderboard
from optbench.records import StudyProtocol
from tests.analysis.synthetic import make_cells


def test_lr_curves_are_sorted_and_keep_diverged_trials() -> None:
    """Every trial is there, the diverged ones as infinite."""
    board = build_leaderboard(make_cells(("alpha",), ("moons",), ("batch",)), StudyProtocol())
    curve = board.lr_curves[0]
    assert list(curve.lr) == sorted(curve.lr)
    assert len(curve.lr) == 8
    assert curve.only_lr
    assert all(math.isinf(x) == (lr > 10**-0.5) for lr, x in zip(curve.lr, curve.loss, strict=True))
