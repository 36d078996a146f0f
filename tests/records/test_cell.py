"""Cells: pooled over their replicates."""

from __future__ import annotations

from dataclasses import replace

from optbench.records import pool_replicates, typical_cell, typical_choices
from tests.analysis.synthetic import make_cells


def test_replicates_are_pooled_by_entrant_and_workload() -> None:
    """The runs stand in the order of the replicates, whatever the order of the cells."""
    first = make_cells(("alpha", "beta"), ("moons",), ("batch", "sgd"), seeds=2, trials=3)
    second = [
        replace(cell, replicate=1, chosen={"lr": 9.0})
        for cell in make_cells(("alpha", "beta"), ("moons",), ("batch", "sgd"), seeds=3, trials=3)
    ]
    pooled = pool_replicates([*second, *first])
    assert len(pooled) == 4
    for cell in pooled:
        (one,) = (c for c in first if (c.entrant, c.workload) == (cell.entrant, cell.workload))
        (two,) = (c for c in second if (c.entrant, c.workload) == (cell.entrant, cell.workload))
        assert cell.evaluation == one.evaluation + two.evaluation
        assert cell.trials == one.trials + two.trials
        assert (cell.chosen, cell.replicate) == (one.chosen, 0)


def test_cells_of_one_replicate_stay_as_they_are() -> None:
    """Studies without replicates are not changed."""
    cells = make_cells(seeds=1, trials=1)
    assert pool_replicates(cells) == cells


def test_the_typical_choice_has_the_median_rate() -> None:
    """Of four the lower of the middle two; replicates that are still tuned do not count."""
    (cell,) = make_cells(("alpha",), ("moons",), ("batch",), seeds=1, trials=1)
    rates = (0.3, 0.01, 3.0, 0.1, None)
    cells = [
        replace(cell, replicate=i, chosen=None if rate is None else {"lr": rate})
        for i, rate in enumerate(rates)
    ]
    assert [each.replicate for each in typical_choices(cells)] == [3]
    assert [each.replicate for each in typical_choices(cells[::-1])] == [3]
    assert typical_choices(cells[-1:]) == []
    assert typical_cell(cells).replicate == 3
    assert typical_cell(cells[-1:]).chosen is None
    equal = [replace(cell, replicate=i, chosen={"lr": 1.0}) for i in (2, 0, 1)]
    assert [each.replicate for each in typical_choices(equal)] == [1]


def test_values_are_those_of_the_runs_until_tuning_ends() -> None:
    """An optimizer without a rate has an infinite one, which no finite rate exceeds."""
    (cell,) = make_cells(("alpha",), ("moons",), ("batch",), seeds=1, trials=1)
    unfinished = replace(cell, chosen=None)
    assert unfinished.values == cell.evaluation[0].spec.hyper
    assert unfinished.rate == cell.evaluation[0].spec.hyper["lr"]
    assert replace(cell, chosen={}).rate == float("inf")
