"""The estimate of a study: how many runs it has, which are stored, and how long the rest takes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from optbench.analysis.board_records import select_boards
from optbench.execution import LocalExecutor
from optbench.plan import StudyPlan, build_plan
from optbench.records import StudyProtocol
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study import STORE_NAME, run_study
from optbench.study.estimating import estimate_study
from optbench.suites import Suite


@pytest.fixture(scope="module")
def plan() -> StudyPlan:
    """Two cells of three evaluation runs; nothing is tuned."""
    protocol = StudyProtocol(ruleset="defaults", seeds=3, grid_points=5, replicates=1)
    suite = Suite(
        name="tiny",
        datasets=("iris",),
        regimes=("batch",),
        epochs=2,
        optimizers=("adam", "sgd"),
        protocol=protocol,
    )
    return build_plan(suite, default_registry())


def test_an_estimate_counts_every_run(plan: StudyPlan) -> None:
    """By cell and in all; without a folder nothing is stored."""
    estimate = estimate_study(plan, jobs=2)
    assert (estimate.planned, estimate.stored, estimate.cores) == (6, 0, 2)
    assert [cell.optimizer for cell in estimate.cells] == ["adam", "sgd"]
    assert [len(cell.missing) for cell in estimate.cells] == [3, 3]
    assert estimate.seconds > 0


def test_runs_in_the_store_are_not_estimated(plan: StudyPlan, tmp_path: Path) -> None:
    """A finished study takes no time."""
    with Store(tmp_path / STORE_NAME) as store, LocalExecutor(1) as executor:
        run_study(plan, store, executor)
    estimate = estimate_study(plan, tmp_path)
    assert (estimate.planned, estimate.stored, estimate.seconds) == (6, 6, 0.0)
    assert all(cell.missing == () for cell in estimate.cells)


def test_what_an_open_pair_needs_takes_what_a_dry_run_says(tmp_path: Path) -> None:
    """The time of the replicates that a board asks for is that of the study with so many."""
    protocol = StudyProtocol(
        ruleset="lr", budget=2, widen=0, seeds=2, grid_points=5, replicates=3, retest_trials=0
    )
    suite = Suite(
        name="tiny",
        datasets=("iris",),
        regimes=("batch", "mini-batch"),
        epochs=2,
        optimizers=("adam", "nadam", "rmsprop"),
        protocol=protocol,
    )
    with Store(tmp_path / STORE_NAME) as store, LocalExecutor(1) as executor:
        study = run_study(build_plan(suite, default_registry()), store, executor)
    assert study.overhead is not None
    boards = select_boards(study.leaderboard.boards)
    needs = [pair.needs for board in boards for pair in board.pairs if pair.needs]
    asked = {n.replicates: n.seconds for n in needs if n.replicates is not None}
    assert asked
    for replicates, seconds in asked.items():
        longer = msgspec.structs.replace(
            suite, protocol=msgspec.structs.replace(protocol, replicates=replicates)
        )
        estimate = estimate_study(build_plan(longer, default_registry()), tmp_path)
        assert seconds == pytest.approx(estimate.seconds, rel=1e-9)
