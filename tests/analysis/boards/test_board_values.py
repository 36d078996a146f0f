"""The values of the four boards, by hand and on studies with known truth."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optbench.analysis.boards.board_values import (
    BoardValues,
    board_values,
    crossing_cost,
)
from optbench.analysis.boards.score_scales import Scales, scales_of
from optbench.analysis.study_arrays import StudyArrays
from optbench.records import Cell, Entrant, RunResult, Status, Trial, Workload
from optbench.suites import Target
from tests.analysis.synthetic import make_cells
from tests.records import factories

nan = math.nan
GUESS, BEST = 1.0, 0.01
TARGET = Target(
    easy=0.5, medium=0.1, hard=0.05, best_train=BEST, best_val=BEST, best_test=BEST, origin="here"
)
WORKLOAD = Workload(dataset="d", hidden=(4,), regime="mini-batch", batch_size=10, epochs=10)
N_TRAIN = 100
EXAMPLES = np.array([0.0, 10, 100, 400, 1000])


def run(
    val: tuple[float, ...], seed: int = 0, status: Status = Status.OK, **fields: Any
) -> RunResult:
    """A run of 10 epochs with five evaluations of the validation loss."""
    spec = factories.make_run_spec(
        dataset="d", hidden=(4,), regime="mini-batch", batch_size=10, epochs=10, seed=seed
    )
    examples = EXAMPLES[: len(val)]
    columns = {
        "epoch": examples / N_TRAIN,
        "updates": examples / 10,
        "examples": examples,
        "seconds": examples * 1e-3,
        "train_loss": np.array(val),
        "val_loss": np.array(val),
        "train_metric": np.zeros(len(val)),
        "val_metric": np.zeros(len(val)),
    }
    guess = {f"guess_{part}_loss": GUESS for part in ("train", "val", "test")}
    measured: dict[str, Any] = {"test_loss": val[-1], "best_test_loss": min(val), **guess, **fields}
    return factories.make_result(spec, factories.make_curve(columns), status, **measured)


def cell(label: str, *runs: RunResult, replicate: int = 0, trials: tuple[Trial, ...] = ()) -> Cell:
    chosen = trials[0].hyper if trials else {}
    return Cell(
        Entrant(label=label, optimizer=label), WORKLOAD, trials, chosen, {}, runs, replicate
    )


def values_of(*cells: Cell, at_best: bool = True) -> dict[str, BoardValues]:
    study = StudyArrays(cells)
    scales: Scales = scales_of(study, {("d", WORKLOAD.network): TARGET})
    return {table.name: table for table in board_values(study, scales, at_best)}


def test_scores_are_means_of_seeds_within_a_replicate() -> None:
    """Half of the way is 0.5; a run at the best known loss has 1; a lost run has 0."""
    runs = (run((1, 0.5, 0.3, 0.2, 0.1)), run((1, 0.5, 0.3, 0.2, 0.01), seed=1))
    lost = run((1, math.nan), seed=2, status=Status.DIVERGED)
    tables = values_of(cell("a", *runs), cell("b", *runs, lost))
    np.testing.assert_allclose(tables["final-loss"].values[:, 0, 0], [0.75, 0.5])
    np.testing.assert_allclose(tables["training-loss"].values[:, 0, 0], [0.75, 0.5])
    np.testing.assert_allclose(tables["stability"].details["lost"][:, 0, 0], [0, 1 / 3])
    assert not tables["final-loss"].from_study.any()


def test_the_test_part_is_read_at_the_lowest_validation_loss_or_at_the_end() -> None:
    """A run that overfits is judged by its best point, or by its end, as the protocol says."""
    overfit = run((1, 0.5, 0.01, 0.1, 0.1))
    assert values_of(cell("a", overfit))["final-loss"].values.item() == pytest.approx(1)
    ended = values_of(cell("a", overfit), at_best=False)
    assert ended["final-loss"].values.item() == pytest.approx(0.5)


def test_old_runs_have_the_test_loss_of_the_end_and_the_loss_before_training() -> None:
    """What was not measured when they were stored is replaced, not dropped."""
    unknown: dict[str, Any] = {f"guess_{part}_loss": math.nan for part in ("train", "val", "test")}
    old = run((2, 0.5, 0.01, 0.1, 0.1), best_test_loss=math.nan, **unknown)
    value = values_of(cell("a", old))["final-loss"].values.item()
    assert value == pytest.approx(math.log(2 / 0.1) / math.log(2 / 0.01))


def test_speed_counts_doublings_of_the_budget_and_drops_nothing() -> None:
    """1000 examples are the budget: at a tenth log2(10), a miss or a lost run -1."""
    at_100 = run((1, 0.5, 0.1, 0.1, 0.1))
    missed = run((1, 0.5, 0.3, 0.2, 0.2))
    lost = run((1, 0.05, 0.05, math.nan), status=Status.DIVERGED)
    tables = values_of(cell("a", at_100), cell("b", missed), cell("c", lost))
    np.testing.assert_allclose(tables["speed"].values[:, 0, 0], [math.log2(10), -1, -1])
    np.testing.assert_allclose(tables["speed"].details["solved"][:, 0, 0], [1, 0, 0])


def test_the_crossing_is_interpolated_and_not_before_the_first_evaluation() -> None:
    """Half of the way in log loss is half of the way in cost."""
    cost = np.tile([0.0, 10, 20, 30], (4, 1))
    loss = np.array([[1, 0.4, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1], [1, 0.1, 1, 1], [1, 1, 1, 0.04]])
    expected = [15, 10, math.inf, 25]
    np.testing.assert_allclose(crossing_cost(cost, loss, np.full(4, 0.2)), expected)


def test_without_a_target_there_is_no_speed() -> None:
    """Neither a miss nor a time: NaN, so that the workload does not count."""
    study = StudyArrays([cell("a", run((1, 1, 1, 1, 1)))])
    tables = {t.name: t for t in board_values(study, scales_of(study, {}), at_best=True)}
    assert np.isnan(tables["speed"].values).all()
    assert tables["speed"].from_study.all()


def test_regret_is_the_gain_of_tuning_over_an_average_trial() -> None:
    """Scores of validation losses on tuning seeds; neither the default nor one beside the best."""
    good = Trial({"lr": 0.1}, (run((1, 0.5, 0.3, 0.2, 0.01)),))  # score 1
    bad = Trial({"lr": 1.0}, (run((1, math.nan), status=Status.DIVERGED),))  # score 0
    default = Trial({"lr": 0.01}, (run((1, 1, 1, 1, 1)),), is_default=True)
    beside = Trial({"lr": 0.12}, (run((1, 0.5, 0.3, 0.2, 0.01)),), is_refined=True)
    own = (run((1, 0.5, 0.3, 0.2, 0.1)),)
    tables = values_of(
        cell("a", *own, trials=(good, bad, default, beside)),
        cell("b", *own, trials=(good, replace(good, hyper={"lr": 0.2}))),
        cell("c", *own),
        cell("d", *own, trials=(bad, good)),  # the chosen one is below the average
    )
    np.testing.assert_allclose(tables["stability"].details["regret"][:, 0, 0], [0.5, 0, nan, 0])
    np.testing.assert_allclose(tables["stability"].values[:, 0, 0], [0.5, 1, nan, 1])


def test_a_fixed_configuration_has_a_stability_only_beside_others_of_its_kind() -> None:
    """It has no regret to compare. Beside a tuned one it has a value only if every run was lost."""
    good = Trial({"lr": 0.1}, (run((1, 0.5, 0.3, 0.2, 0.01)),))
    trials = (good, replace(good, hyper={"lr": 0.2}))
    kept = run((1, 0.5, 0.3, 0.2, 0.1))
    lost = run((1, math.nan), seed=1, status=Status.DIVERGED)
    fixed = cell("fixed", kept, lost), cell("lost", lost)
    alone = values_of(*fixed)["stability"]
    np.testing.assert_allclose(alone.values[:, 0, 0], [0.5, 0])
    assert np.isnan(alone.details["regret"]).all()
    beside = values_of(*fixed, cell("tuned", kept, trials=trials))["stability"]
    np.testing.assert_allclose(beside.values[:, 0, 0], [nan, 0, 1])


def test_who_does_no_better_than_guessing_has_no_stability() -> None:
    """On the training loss or on the test loss, in every run that was kept; lost ones have 0."""
    kept, still = (1, 0.5, 0.3, 0.2, 0.1), (1.0,) * 5
    lost = run((1, math.nan), seed=1, status=Status.DIVERGED)
    table = values_of(
        cell("learns", run(kept)),
        cell("learns once", run(kept), run((1, 2, 3, 4, 5), seed=2)),
        cell("worse", run((1, 2, 3, 4, 5))),
        cell("overfits", run(kept, best_test_loss=1.5)),
        cell("still", run(still), lost),
        cell("lost", lost),
    )["stability"]
    np.testing.assert_allclose(table.values[:, 0, 0], [1, 1, 1, 1, 0.5, 0])
    np.testing.assert_allclose(table.on([0])[:, 0, 0], [1, 1, nan, nan, nan, 0])


def test_a_run_that_never_moved_scores_nothing() -> None:
    """Even where its initial weights happen to be better than guessing."""
    tables = values_of(cell("still", run((0.5,) * 5)), cell("moved", run((0.5,) * 4 + (0.4,))))
    for name in ("final-loss", "training-loss"):
        still, moved = tables[name].values[:, 0, 0]
        assert still == 0
        assert 0 < moved < 1


def test_the_average_trial_has_widened_ranges_and_all_tuning_seeds() -> None:
    """A point outside the range counts as the others, and a trial that was retested as its mean."""
    reached, lost = run((1, 0.5, 0.3, 0.2, 0.01)), run((1, math.nan), status=Status.DIVERGED)
    good = Trial({"lr": 0.1}, (reached,), retest=(reached,))
    retested = Trial({"lr": 1.0}, (reached,), retest=(lost, lost, lost))  # score 1/4
    widened = Trial({"lr": 10.0}, (lost,), is_widened=True)
    own = (run((1, 0.5, 0.3, 0.2, 0.1)),)
    tables = values_of(cell("a", *own, trials=(good, retested, widened)))
    np.testing.assert_allclose(tables["stability"].details["regret"][:, 0, 0], [1 - 1.25 / 3])


def test_a_few_runs_without_a_loss_do_not_show_that_none_is_lost() -> None:
    """The least error of the share of lost runs falls with their number, and is not 0."""
    errors = values_of(
        cell("a", *(run((1, 0.5, 0.3, 0.2, 0.1), seed=s) for s in range(4))),
        cell("b", *(run((1, 0.5, 0.3, 0.2, 0.1), seed=s) for s in range(400))),
    )["stability"].least_errors
    assert errors is not None
    few, many = errors([0])
    assert few > 0.1
    assert 0 < many < 0.01


def test_the_spread_of_seeds_is_that_within_replicates() -> None:
    """A difference between replicates is not a spread of seeds."""
    first = (run((1, 0.5, 0.3, 0.2, 0.1)), run((1, 0.5, 0.3, 0.2, 0.1), seed=1))
    second = (run((1, 0.5, 0.3, 0.2, 0.01), seed=2), run((1, 0.5, 0.3, 0.2, 0.1), seed=3))
    tables = values_of(cell("a", *first), cell("a", *second, replicate=1))
    spread = tables["stability"].details["seed_spread"][0, 0]
    np.testing.assert_allclose(spread, [0, 0.5 / math.sqrt(2)], atol=1e-12)


def test_replicates_seeds_and_clusters_of_a_study() -> None:
    """Old studies share seeds between workloads; studies with replicates do not."""
    old = StudyArrays(make_cells(datasets=("moons", "iris"), trials=2))
    assert len(set(old.seed_clusters)) == 1
    new = StudyArrays(make_cells(datasets=("moons", "iris"), trials=2, replicates=3, seeds=4))
    assert len(set(new.seed_clusters)) == 6
    assert new.n_replicates == 3
    assert (new.replicate_counts == 4).all()
    np.testing.assert_allclose(new.replicate_means(np.ones(len(new.runs))), 1)


def test_no_added_seed_and_no_better_entrant_moves_the_values_of_others() -> None:
    """On any board, with a frozen scale: even where the new runs beat the best known loss."""
    known = {("moons", "32-32 relu"): TARGET}

    def values(cells: list[Cell], label: str) -> list[Any]:
        study = StudyArrays(cells)
        tables = board_values(study, scales_of(study, known), at_best=True)
        return [table.values[study.labels.index(label)].tolist() for table in tables]

    cells = make_cells(("alpha", "beta"), ("moons",))
    best = make_cells(("genius",), ("moons",), skill={"genius": 6.0})
    more = [
        replace(cell, evaluation=cell.evaluation + best[0].evaluation[:2])
        if cell.entrant.label == "beta" and cell.workload == best[0].workload
        else cell
        for cell in cells
    ]
    assert values([*cells, *best], "alpha") == values(cells, "alpha")
    assert values([*cells, *best], "beta") == values(cells, "beta")
    assert values(more, "alpha") == values(cells, "alpha")
