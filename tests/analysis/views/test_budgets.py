"""Budget and lr curves, the optimizer x initializer matrix, and the regimes side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optbench.analysis import Leaderboard, build_leaderboard
from optbench.records import Cell, StudyProtocol
from tests.analysis.synthetic import make_cells
from tests.records.factories import make_curve

QUICK = ("alpha", "beta", "gamma", "delta", "epsilon")


def build(cells: list[Cell], **options: Any) -> Leaderboard:
    return build_leaderboard(cells, StudyProtocol(), **options)


def test_budget_curves_start_at_the_mean_and_end_at_the_best_trial() -> None:
    """Expected best of 1 is the mean, of all n the minimum; scores never fall with budget."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch",))
    board = build(cells)
    curve = next(b for b in board.budgets if b.label == "alpha" and b.workload)
    losses = np.array([t.results[0].final("val_loss") for t in cells[0].trials])
    losses = np.where(np.isnan(losses), 1.1, np.minimum(losses, 1.1))
    assert curve.loss[0] == pytest.approx(losses.mean())
    assert curve.loss[-1] == pytest.approx(losses.min())
    assert all(np.diff(b.score).min() >= -1e-12 for b in board.budgets)
    assert {b.label for b in board.budgets if not b.workload} == {"alpha", "beta"}


def test_lr_curves_are_sorted_and_keep_diverged_trials() -> None:
    """Every trial is there, the diverged ones as infinite."""
    board = build(make_cells(("alpha",), ("moons",), ("batch",)))
    curve = board.lr_curves[0]
    assert list(curve.lr) == sorted(curve.lr)
    assert len(curve.lr) == 8
    assert curve.only_lr
    assert all(math.isinf(x) == (lr > 10**-0.5) for lr, x in zip(curve.lr, curve.loss, strict=True))


def test_the_matrix_shows_a_bad_initializer() -> None:
    """One yardstick for all initializers: the one on which all diverge scores 0."""
    good = make_cells(("alpha", "beta"), initializers=("he-normal",))
    bad = make_cells(
        ("alpha", "beta"), initializers=("huge",), diverging={"alpha": 1.0, "beta": 1.0}
    )
    matrix = build(good + bad).matrix
    assert matrix is not None
    assert matrix.initializations == ("he-normal", "huge")
    assert all((row[0] or 0) > 0.5 and row[1] == 0 for row in matrix.score)
    assert all(row == (0.0, 1.0) for row in matrix.divergence)
    assert build(good).matrix is None


def test_the_matrix_measures_every_initializer_on_the_same_scale() -> None:
    """On the worse initializer the best run is not as good as the best run of all."""
    cells = make_cells(("alpha",), ("moons",), ("batch",), initializers=("he-normal", "slow"))
    slow = replace(
        cells[1], evaluation=tuple(replace(r, test_loss=0.8) for r in cells[1].evaluation)
    )
    board = build([cells[0], slow])
    assert board.matrix is not None
    good, bad = board.matrix.score[0]
    assert good is not None
    assert bad == pytest.approx(math.log(1.1 / 0.8) / math.log(1.1 / board.workloads[0].best_loss))  # type: ignore[operator]
    assert board.workloads[1].rows[0].score.value == 1


def regime_cells() -> list[Cell]:
    """Batch is ahead at equal updates, sgd at equal examples; alpha and beta swap in batch."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch", "sgd"), seeds=4)
    speed = {("alpha", "batch"): 0.2, ("beta", "batch"): 0.1, ("alpha", "sgd"): 0.002,
             ("beta", "sgd"): 0.003}  # fmt: skip
    made = []
    for cell in cells:
        rate = speed[cell.entrant.label, cell.workload.regime]
        runs = []
        for run in cell.evaluation:
            columns = dict(run.curve)
            columns["val_loss"] = np.exp(-rate * columns["updates"]) * (1 + 0.01 * run.spec.seed)
            runs.append(replace(run, curve=make_curve(columns)))
        made.append(replace(cell, evaluation=tuple(runs)))
    return made


def test_regimes_are_compared_at_equal_examples_and_at_equal_updates() -> None:
    """The losses are those of the formula at 6,000 examples and at 10 updates."""
    view = build(regime_cells()).regimes[0]
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
    view = build(regime_cells()).regimes[0]
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
    view = build(crossing).regimes[0]
    (first, second) = [r for r in view.rows if r.regime == "sgd"]
    assert (first.at_examples - second.at_examples) * (first.at_updates - second.at_updates) < 0
    assert {(f.first[0], f.second[0]) for f in view.flips} == {("alpha", "alpha")}


def test_a_target_that_nobody_reaches_is_named() -> None:
    """Also where it is the only workload, and a high score could be taken for success."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch",))
    workload = cells[0].workload
    out_of_reach = {(workload.dataset, workload.network): {"medium": 1e-9}}
    board = build_leaderboard(cells, StudyProtocol(), out_of_reach)
    assert any("nobody reached the medium target on moons" in text for text in board.warnings)


def test_an_entrant_ahead_in_every_regime_flips_with_nobody() -> None:
    """No flip is reported where the order is the same everywhere."""
    board = build(make_cells(("alpha", "beta"), skill={"beta": 1.0}))
    assert [view.order_flips for view in board.regimes] == [(), (), ()]


def test_one_regime_has_no_regime_view() -> None:
    """There is nothing to put side by side."""
    assert build(make_cells(("alpha", "beta"), regimes=("batch",))).regimes == ()
