"""A study that runs until it is decided: looks, entrants without open pairs, resume, extension."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from optbench.analysis.board_records import Board
from optbench.analysis.boards.board_looks import boards_at_looks
from optbench.analysis.leaderboard import to_json
from optbench.errors import ConfigError
from optbench.execution import Executor, LocalExecutor
from optbench.plan import StudyPlan, build_plan
from optbench.records import Curve, RunResult, RunSpec, Status, StudyProtocol
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study import (
    STORE_NAME,
    Observer,
    Progress,
    Study,
    growing_cells,
    load_study,
    run_study,
)
from optbench.study.driver import ignore_progress
from optbench.study.extending import plan_extension, read_finished
from optbench.suites import Suite
from tests.records import factories
from tests.study.test_running import Counter, OneAtATime, content, fake_train

NOISE = 0.02
"""Spread of the log of the loss between the runs of two optimizers that are alike."""


def train(spec: RunSpec) -> RunResult:
    """Train nothing: sgd ends at a loss ten times as high as adam and momentum, which are alike."""
    result = fake_train(spec)
    rng = np.random.default_rng([spec.seed, len(spec.optimizer)])
    floor = (0.5 if spec.optimizer == "sgd" else 0.05) * float(np.exp(NOISE * rng.normal()))
    columns = {name: result.curve[name] for name in result.curve.columns}
    loss = floor + np.exp(-columns["examples"] / 100)
    curve = type(result.curve).from_columns(columns | {"val_loss": loss, "train_loss": loss})
    return replace_result(result, curve, floor)


def noisy(spec: RunSpec) -> RunResult:
    """Train nothing: like `train`, with far more noise in adam and momentum."""
    result = train(spec)
    if spec.optimizer == "sgd":
        return result
    rng = np.random.default_rng([spec.seed, len(spec.optimizer)])
    floor = 0.05 * float(np.exp(0.8 * rng.normal()))
    columns = {name: result.curve[name] for name in result.curve.columns}
    loss = floor + np.exp(-columns["examples"] / 100)
    curve = type(result.curve).from_columns(columns | {"val_loss": loss, "train_loss": loss})
    return replace_result(result, curve, floor)


def replace_result(result: RunResult, curve: Curve, floor: float) -> RunResult:
    """Return a result with another curve and test loss."""
    return factories.make_result(
        result.spec,
        curve,
        Status.OK,
        test_loss=floor,
        test_metric=1 - floor,
        params_hash=result.key,
        seconds=0.001,
    )


def make_plan(replicates: int) -> StudyPlan:
    """Three optimizers on two workloads."""
    suite = Suite(
        name="tiny",
        datasets=("iris", "moons"),
        regimes=("batch",),
        optimizers=("adam", "momentum", "sgd"),
        protocol=StudyProtocol(budget=2, seeds=2, retest_trials=0, replicates=replicates),
    )
    return build_plan(suite, default_registry())


def execute(
    folder: Path,
    plan: StudyPlan,
    trainer: Callable[[RunSpec], RunResult] = train,
    time_limit: float | None = None,
    executor: Executor | None = None,
    observer: Observer = ignore_progress,
) -> Study:
    """Run a study until it is decided."""
    folder.mkdir(exist_ok=True)
    with (
        Store(folder / STORE_NAME) as store,
        executor or LocalExecutor(2, train=trainer) as trained_by,
    ):
        return run_study(
            plan, store, trained_by, until="decided", time_limit=time_limit, observer=observer
        )


def replicates_of(study: Study) -> dict[str, int]:
    """Return the number of replicates of each optimizer."""
    numbers: dict[str, set[int]] = {}
    for cell in study.cells:
        numbers.setdefault(cell.entrant.label, set()).add(cell.replicate)
    return {label: len(own) for label, own in numbers.items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that ran until it was decided, at most to 16 replicates."""
    return execute(tmp_path_factory.mktemp("finished"), make_plan(16))


def test_it_ends_when_large_differences_are_clear(finished: Study) -> None:
    """Four or eight replicates decide a tenfold loss; sixteen were allowed."""
    assert finished.complete
    assert finished.looks[-1].replicates < 16
    assert finished.protocol.replicates == finished.looks[-1].replicates
    board = finished.leaderboard.boards[0]
    assert board.pair("adam", "sgd").verdict == "better"
    assert board.error_rate <= 0.05
    assert board.looks == finished.looks


def test_an_entrant_with_no_open_pair_gets_no_further_runs(tmp_path: Path) -> None:
    """Only the two that are alike go on."""
    numbers = replicates_of(execute(tmp_path / "study", make_plan(16), noisy))
    assert numbers["sgd"] < numbers["adam"] == numbers["momentum"]


def test_an_interrupted_study_ends_as_an_undisturbed_one(tmp_path: Path, finished: Study) -> None:
    """Runs are not trained twice, and every look decides the same."""
    calls = 0

    def observer(progress: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 30:
            raise KeyboardInterrupt

    folder, counter = tmp_path / "study", Counter()

    def counted(spec: RunSpec) -> RunResult:
        counter(spec)
        return train(spec)

    folder.mkdir()
    with Store(folder / STORE_NAME) as store, LocalExecutor(2, train=counted) as executor:
        stopped = run_study(make_plan(16), store, executor, until="decided", observer=observer)
    assert not stopped.complete
    assert stopped.looks[-1].level == 0
    again = execute(folder, make_plan(16), counted)
    assert again.complete
    assert content(again) == content(finished)
    again = replace(again, overhead=finished.overhead)  # each measured its own
    assert to_json(again.leaderboard) == to_json(finished.leaderboard)


def interrupt_look(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let Ctrl-C come in the middle of a look, once."""
    looks = 0

    def looking(*args: Any, **kwargs: Any) -> tuple[Board, ...]:
        nonlocal looks
        looks += 1
        if looks == number:
            raise KeyboardInterrupt
        return boards_at_looks(*args, **kwargs)

    monkeypatch.setattr(growing_cells, "boards_at_looks", looking)


@pytest.mark.parametrize(("number", "made"), [(1, []), (2, [4])])
def test_a_look_that_is_interrupted_was_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, made: list[int]
) -> None:
    """Every cell is stored once, the looks before are reported, and the look is made next time."""
    interrupt_look(monkeypatch, number)
    stopped = execute(tmp_path / "study", make_plan(16), noisy)
    places = [(c.entrant.label, c.workload.label, c.replicate) for c in stopped.cells]
    assert len(places) == len(set(places)) > 0
    assert [look.replicates for look in stopped.looks if look.level > 0] == made
    assert not stopped.complete
    runs = sum(
        len(cell.evaluation) + sum(len(t.results) for t in cell.trials) for cell in stopped.cells
    )
    assert stopped.progress == (runs, runs)
    look = f"unfinished: the look at {runs} runs was interrupted; the same command continues"
    assert stopped.unfinished == look
    assert load_study(tmp_path / "study").leaderboard == stopped.leaderboard
    again = execute(tmp_path / "study", make_plan(16), noisy)
    undisturbed = execute(tmp_path / "undisturbed", make_plan(16), noisy)
    assert again.trained + stopped.trained == undisturbed.trained
    again = replace(again, overhead=undisturbed.overhead)
    assert to_json(again.leaderboard) == to_json(undisturbed.leaderboard)


def test_the_time_limit_is_a_look_at_what_is_finished(tmp_path: Path) -> None:
    """A limit of nothing trains nothing; the next execution goes on and ends."""
    first = execute(tmp_path / "study", make_plan(8), time_limit=1e-9)
    assert first.complete
    assert not first.is_evaluated
    again = execute(tmp_path / "study", make_plan(8))
    assert again.is_evaluated
    assert sum(look.level for look in again.looks) <= 0.05 + 1e-12


def test_the_last_line_about_the_looks_says_why_the_study_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All pairs are decided, or a limit is reached."""

    def last_line() -> str:
        lines = [r.getMessage() for r in caplog.records if r.name == growing_cells.__name__]
        caplog.clear()
        return lines[-1]

    with caplog.at_level("INFO"):
        execute(tmp_path / "decided", make_plan(16))
        assert last_line().endswith(" pairs are decided")
        execute(tmp_path / "most", make_plan(4), noisy)
        assert last_line() == "the study ends: the most replicates (4) are reached"
        execute_for_half(tmp_path / "time", monkeypatch)
        assert last_line() == "the study ends: the time limit is reached"


def execute_for_half(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Run a study whose time is over when half of the runs before the first look are finished."""
    now = 0.0

    def observer(progress: Progress) -> None:
        nonlocal now
        now = 2.0 if 2 * progress.done >= progress.planned else 0.0

    monkeypatch.setattr(growing_cells, "time", SimpleNamespace(monotonic=lambda: now))
    study = execute(folder, make_plan(16), time_limit=1.0, executor=OneAtATime(), observer=observer)
    monkeypatch.setattr(growing_cells, "time", time)
    return study


def test_a_look_at_the_time_limit_that_is_interrupted_is_made_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in it leaves a record of the finished runs, which is no end of the study."""
    looked = execute_for_half(tmp_path / "undisturbed", monkeypatch)
    assert looked.complete
    assert 0 < looked.looks[-1].replicates < 4
    interrupt_look(monkeypatch, 1)
    stopped = execute_for_half(tmp_path / "study", monkeypatch)
    assert not stopped.complete
    assert [look.level for look in stopped.looks] == [0]
    saved = load_study(tmp_path / "study")
    assert not saved.complete
    assert {run.key for run in saved.runs} > {run.key for run in looked.runs}
    again = execute(tmp_path / "study", make_plan(16), fake_train)
    assert again.looks[0].replicates == 4


def test_looks_that_were_made_are_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C before an earlier look is made again: its level stays spent, and its report stays."""
    folder = tmp_path / "study"
    looked = execute_for_half(folder, monkeypatch)
    interrupt_look(monkeypatch, 1)
    stopped = execute(folder, make_plan(16), fake_train)
    assert not stopped.complete
    assert stopped.looks == load_study(folder).looks == looked.looks
    again = execute(folder, make_plan(16), fake_train)
    assert again.looks[0].replicates == looked.looks[0].replicates
    assert len(again.looks) > 1


def test_an_extension_adds_replicates_and_says_what_it_costs(tmp_path: Path) -> None:
    """The look of the planned end is kept, and the further one has half of its level."""
    with Store(tmp_path / STORE_NAME) as store, LocalExecutor(2, train=train) as executor:
        before = run_study(make_plan(3), store, executor)
    record = read_finished(tmp_path)
    counter = Counter()

    def counted(spec: RunSpec) -> RunResult:
        counter(spec)
        return train(spec)

    with Store(tmp_path / STORE_NAME) as store, LocalExecutor(2, train=counted) as executor:
        plan = plan_extension(record, 2, default_registry())
        study = run_study(plan, store, executor, extended=record)
    assert replicates_of(study) == {"adam": 5, "momentum": 5, "sgd": 5}
    assert {run.key for run in before.runs}.isdisjoint(counter.keys)
    assert [(look.replicates, look.level) for look in study.looks] == [(3, 0.05), (5, 0.025)]
    board = load_study(tmp_path).leaderboard.boards[0]
    assert board.error_rate == pytest.approx(0.075)
    assert "at most 7.5%" in board.note


def test_a_study_that_is_not_finished_cannot_be_extended(tmp_path: Path) -> None:
    """The message says what to do first."""
    with pytest.raises(ConfigError, match="has no study"):
        read_finished(tmp_path)
