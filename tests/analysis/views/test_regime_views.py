"""The regimes side by side, at equal examples and at equal updates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from optbench.analysis import build_leaderboard
from optbench.records import Cell, StudyProtocol
from tests.analysis.synthetic import make_cells
from tests.records.factories import make_curve


def regime_cells() -> list[Cell]:
    """Cells of two entrants, of which alpha is faster in batch and slower in sgd."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch", "sgd"), seeds=4)
    speed = {("alpha", "batch"): 0.2, ("beta", "batch"): 0.1, ("alpha", "sgd"): 0.002,
             ("beta", "sgd"): 0.003}  # fmt: skip
    changed = []
    for cell in cells:
        rate = speed[cell.entrant.label, cell.workload.regime]
        runs = []
        for run in cell.evaluation:
            columns = dict(run.curve)
            columns["val_loss"] = np.exp(-rate * columns["updates"]) * (1 + 0.01 * run.spec.seed)
            runs.append(replace(run, curve=make_curve(columns)))
        changed.append(replace(cell, evaluation=tuple(runs)))
    return changed


def test_regimes_are_compared_at_equal_examples_and_at_equal_updates() -> None:
    """The losses are those of the formula at 6,000 examples and at 10 updates."""
    view = build_leaderboard(regime_cells(), StudyProtocol()).regimes[0]
    assert (view.examples, view.updates) == (6000, 10)
    row = next(r for r in view.rows if (r.label, r.regime) == ("alpha", "sgd"))
    assert row.at_examples == pytest.approx(math.exp(-12) * 1.015)
    assert row.at_updates == pytest.approx(math.exp(-0.02) * 1.015, rel=0.01)
    batch = next(r for r in view.rows if (r.label, r.regime) == ("alpha", "batch"))
    assert batch.at_examples == batch.at_updates == pytest.approx(math.exp(-2) * 1.015)
    assert batch.rank_at_updates == 1
    assert row.rank_at_examples == 2


def test_entrants_that_change_their_order_between_regimes_are_named() -> None:
    """alpha leads in batch, and beta leads in sgd."""
    view = build_leaderboard(regime_cells(), StudyProtocol()).regimes[0]
    assert [(f.first, f.second, f.regime, f.other_regime, f.clear) for f in view.order_flips] == [
        ("alpha", "beta", "batch", "sgd", True)
    ]


def test_an_entrant_ahead_in_every_regime_flips_with_nobody() -> None:
    """No flip is reported where the order is the same everywhere."""
    board = build_leaderboard(make_cells(("alpha", "beta"), skill={"beta": 1.0}), StudyProtocol())
    assert [view.order_flips for view in board.regimes] == [(), (), ()]


def test_one_regime_has_no_regime_view() -> None:
    """There is nothing to put side by side."""
    assert (
        build_leaderboard(
            make_cells(("alpha", "beta"), regimes=("batch",)), StudyProtocol()
        ).regimes
        == ()
    )
