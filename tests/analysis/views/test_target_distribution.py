"""Empirical distribution of the cost to targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optbench.analysis import build_leaderboard
from optbench.analysis.views.target_distribution import distribution_of_cells, target_rows
from optbench.records import Cell, StudyProtocol
from optbench.suites import Target, Targets
from tests.analysis.synthetic import N_TRAIN, make_cells
from tests.records.factories import make_curve

TARGET = Target(easy=0.5, medium=0.25, hard=0.1, best_val=0.05, best_train=0.05, best_test=0.05)
COSTS = [0.0, 0.1, 0.2, 0.4, 0.8, 1.0]
"""Shares of the budget at which the runs below are evaluated."""
LOSSES = {
    "early": [[1.0, 0.5, 0.25, 0.25, 0.25, 0.25], [1.0, 0.5, 0.5, 0.5, 0.5, 0.5]],
    "late": [[1.0, 0.9, 0.9, 0.5, 0.1, 0.1], [1.0, 0.9, 0.9, 0.9, 0.9, 0.9]],
}
"""Validation losses of two seeds of each entrant."""


def cells() -> tuple[list[Cell], Targets]:
    """Two entrants on one workload, with two seeds each."""
    made = make_cells(("early", "late"), ("iris",), ("sgd",), seeds=2, trials=1)
    budget = N_TRAIN * made[0].workload.epochs
    examples = np.array(COSTS) * budget
    changed = []
    for cell in made:
        runs = []
        for run, losses in zip(cell.evaluation, LOSSES[cell.entrant.label], strict=True):
            columns = {
                name: np.interp(examples, run.curve["examples"], run.curve[name])
                for name in run.curve
            }
            columns |= {"examples": examples, "val_loss": np.array(losses)}
            columns["epoch"] = examples / N_TRAIN
            runs.append(replace(run, curve=make_curve(columns)))
        changed.append(replace(cell, evaluation=tuple(runs)))
    workload = changed[0].workload
    return changed, {(workload.dataset, workload.network): TARGET}


def share_at(reached: tuple[float, ...], cost: tuple[float, ...], wanted: float) -> float:
    """The last value of a distribution up to a cost."""
    return [share for c, share in zip(cost, reached, strict=True) if c <= wanted * 1.0001][-1]


def test_the_distribution_is_that_computed_by_hand() -> None:
    """Six triples each: two seeds, three targets.

    early: 0.5 at 10% twice, 0.25 at 20% once. late: 0.5 at 40%, and on the way from 0.5 to 0.1
    between 40% and 80% of the budget 0.25 at 40% + 40% ln(0.5/0.25) / ln(0.5/0.1), 0.1 at 80%.
    """
    study, known = cells()
    found = distribution_of_cells(study, known)
    assert found is not None
    assert found.levels == (0.5, 0.75, 0.9)
    assert found.triples == {"early": 6, "late": 6}
    early, late = found.reached["early"], found.reached["late"]
    assert (found.cost[0], found.cost[-1]) == pytest.approx((0.1, 1.0))
    crossing = 0.4 + 0.4 * np.log(0.5 / 0.25) / np.log(0.5 / 0.1)
    assert [share_at(early, found.cost, c) for c in (0.1, 0.19, 0.21, 1)] == pytest.approx(
        [2 / 6, 2 / 6, 3 / 6, 3 / 6]
    )
    assert [share_at(late, found.cost, c) for c in (0.39, 0.41, 0.99 * crossing, 1.03 * crossing)]
    assert [
        share_at(late, found.cost, c)
        for c in (0.39, 0.41, 0.97 * crossing, 1.03 * crossing, 0.77, 0.83)
    ] == pytest.approx([0, 1 / 6, 1 / 6, 2 / 6, 2 / 6, 3 / 6])
    board = build_leaderboard(study, StudyProtocol(), known)
    assert board.target_distribution == found


def test_other_levels_have_other_targets() -> None:
    """A level between two others has a loss between, on a log scale; 1 is the best known loss."""
    study, known = cells()
    rows = list(target_rows(study, known, (0.5, 0.625, 1.0)))
    assert len(rows) == 2 * 2 * 3
    losses = {row["level"]: row["target"] for row in rows}
    assert losses[0.5] == 0.5
    assert losses[0.625] == pytest.approx((0.5 * 0.25) ** 0.5)
    assert losses[1.0] == 0.05
    assert not any(row["reached"] for row in rows if row["level"] == 1.0)
    first = next(r for r in rows if (r["label"], r["seed"], r["level"]) == ("early", 0, 0.5))
    assert first["cost"] == pytest.approx(0.1)
    assert all((row["cost"] is not None) == row["reached"] for row in rows)


def test_only_the_chosen_workloads_count() -> None:
    """Without any, there is no distribution."""
    study, known = cells()
    label = study[0].workload.label
    assert distribution_of_cells(study, known, workloads={label}) == distribution_of_cells(
        study, known
    )
    assert distribution_of_cells(study, known, workloads={"other"}) is None
