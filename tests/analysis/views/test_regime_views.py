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
    """Batch is ahead at equal updates, sgd at equal examples; alpha and beta swap in batch."""
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


def test_rank_flips_between_the_views_and_between_regimes_are_pointed_out() -> None:
    """sgd leads batch at equal examples and trails at equal updates; alpha and beta swap."""
    view = build_leaderboard(regime_cells(), StudyProtocol()).regimes[0]
    flips = {(f.first, f.second): f.clear for f in view.flips}
    assert flips[("alpha", "sgd"), ("alpha", "batch")]
    assert flips[("beta", "sgd"), ("beta", "batch")]
    assert len(flips) == 2
    assert [(f.first, f.second, f.regime, f.other_regime, f.clear) for f in view.order_flips] == [
        ("alpha", "beta", "batch", "sgd", True)
    ]


def test_early_against_late_in_one_regime_is_no_flip() -> None:
    """Within a regime examples and updates are the same axis: curves that cross flip nothing."""
    crossing = []
    for cell in regime_cells():
        early = cell.entrant.label == "beta" and cell.workload.regime == "sgd"
        runs = []
        for run in cell.evaluation:
            columns = dict(run.curve)
            if early:
                columns["val_loss"] = 0.5 + 0 * columns["updates"]
            runs.append(replace(run, curve=make_curve(columns)))
        crossing.append(replace(cell, evaluation=tuple(runs)))
    view = build_leaderboard(crossing, StudyProtocol()).regimes[0]
    (first, second) = [r for r in view.rows if r.regime == "sgd"]
    assert (first.at_examples - second.at_examples) * (first.at_updates - second.at_updates) < 0
    assert {(f.first[0], f.second[0]) for f in view.flips} == {("alpha", "alpha")}


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
