"""The expected best of the first k trials."""

from __future__ import annotations

import numpy as np
import pytest

from optbench.analysis import build_leaderboard
from optbench.records import StudyProtocol
from tests.analysis.synthetic import make_cells


def test_budget_curves_start_at_the_mean_and_end_at_the_best_trial() -> None:
    """Expected best of 1 is the mean, of all n the minimum; scores never fall with budget."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch",))
    board = build_leaderboard(cells, StudyProtocol())
    curve = next(b for b in board.budgets if b.label == "alpha" and b.workload)
    losses = np.array([t.results[0].final("val_loss") for t in cells[0].trials])
    losses = np.where(np.isnan(losses), 1.1, np.minimum(losses, 1.1))
    assert curve.loss[0] == pytest.approx(losses.mean())
    assert curve.loss[-1] == pytest.approx(losses.min())
    assert all(np.diff(b.score).min() >= -1e-12 for b in board.budgets)
    assert {b.label for b in board.budgets if not b.workload} == {"alpha", "beta"}
