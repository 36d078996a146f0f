"""A study trains the missing runs, keeps the finished ones, and ends the same every time."""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pytest

from optbench.analysis.leaderboard import to_json
from optbench.errors import ConfigError, StoreError
from optbench.execution import Executor, LocalExecutor
from optbench.plan import StudyPlan, build_plan
from optbench.records import (
    CURVE_COLUMNS,
    RunResult,
    RunSpec,
    Status,
    StudyProtocol,
    Trial,
    is_evaluation,
)
from optbench.records.packing import pack_result
from optbench.records.seeds import evaluation_seed
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study import (
    STORE_NAME,
    Observer,
    Progress,
    Study,
    describe_environment,
    load_study,
    run_study,
)
from optbench.study.driver import ignore_progress
from optbench.suites import Suite
from tests.records import factories

SUITE = Suite(
    name="tiny",
    datasets=("iris", "moons"),
    regimes=("batch", "mini-batch"),
    optimizers=("adam", "sgd", "sgd[lr=0.07]"),
    protocol=StudyProtocol(budget=4, seeds=3, retest_trials=2, retest_seeds=1, replicates=2),
)


def fake_train(spec: RunSpec) -> RunResult:
    """Return a result without training: best at lr = 0.3, diverged above lr = 5."""
    lr = float(spec.hyper["lr"])
    floor = 0.1 + 0.1 * abs(np.log10(lr / 0.3)) + 0.01 * (spec.seed % 7)
    examples = np.geomspace(1, 1000, 20)
    loss = floor + np.exp(-examples / 100)
    columns = dict.fromkeys(CURVE_COLUMNS, loss) | {"examples": examples, "updates": examples}
    return factories.make_result(
        spec,
        factories.make_curve(columns),
        Status.DIVERGED if lr > 5 else Status.OK,
        test_loss=float(floor),
        test_metric=1 - floor,
        params_hash=spec.key,
        seconds=0.001,
    )


class Counter:
    """A train function that remembers the keys of its runs.

    Threads share it: appending to a list is atomic.
    """

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, spec: RunSpec) -> RunResult:
        self.keys.append(spec.key)
        return fake_train(spec)


@pytest.fixture(scope="module")
def plan() -> StudyPlan:
    """A plan of twelve cells."""
    return build_plan(SUITE, default_registry())


def execute(
    plan: StudyPlan,
    path: Path,
    train: Callable[[RunSpec], RunResult] = fake_train,
    observer: Observer = ignore_progress,
    retry_failed: bool = False,
) -> Study:
    """Run a study with two threads."""
    with Store(path) as store, LocalExecutor(2, train=train) as executor:
        return run_study(
            plan,
            store,
            executor,
            observer=observer,
            command="optbench run tiny",
            environment={"python": "3"},
            retry_failed=retry_failed,
        )


def content(study: Study) -> list[bytes]:
    """Return all results of a study as bytes, in a fixed order."""
    return sorted(pack_result(result) for result in study.runs)


def test_a_study_trains_trials_and_evaluation_runs(plan: StudyPlan, tmp_path: Path) -> None:
    """Every cell is tuned within its budget, and evaluated on seeds that tuning never used."""
    counter = Counter()
    study = execute(plan, tmp_path / "runs.sqlite", counter)
    assert study.complete
    assert len(counter.keys) == len(set(counter.keys)) == study.trained == len(study.runs)
    assert study.reused == 0
    for cell in study.cells:
        assert len(cell.trials) >= 4 or cell.entrant.label == "sgd[lr=0.07]"
        assert len(cell.evaluation) == 3
        assert all(is_evaluation(result.spec.seed) for result in cell.evaluation)
        assert sum(len(trial.retest) for trial in cell.trials) == (2 if cell.trials else 0)
        assert not any(is_evaluation(r.spec.seed) for trial in cell.trials for r in trial.runs)
        assert all(r.spec.hyper == cell.chosen for r in cell.evaluation)


def test_a_second_execution_trains_nothing(plan: StudyPlan, tmp_path: Path) -> None:
    """It reports that, and has the same cells and the same leaderboard."""
    path = tmp_path / "runs.sqlite"
    first = execute(plan, path)
    counter = Counter()
    second = execute(plan, path, counter)
    assert counter.keys == []
    assert (second.trained, second.reused, second.unchanged) == (0, first.trained, True)
    assert not first.unchanged
    assert content(first) == content(second)
    assert first.leaderboard == second.leaderboard


def test_a_larger_study_reuses_the_smaller(plan: StudyPlan, tmp_path: Path) -> None:
    """With more seeds, only the new seeds are trained."""
    path = tmp_path / "runs.sqlite"
    first = execute(plan, path)
    more = Suite(
        **{
            **{f: getattr(SUITE, f) for f in SUITE.__struct_fields__},
            "protocol": msgspec.structs.replace(SUITE.protocol, seeds=5),
        }
    )
    counter = Counter()
    study = execute(build_plan(more, default_registry()), path, counter)
    assert len(counter.keys) == 2 * len(plan.cells)
    assert study.reused == first.trained


@pytest.mark.parametrize("at", [1, 5, 30, 60])
def test_ctrl_c_keeps_finished_runs_and_the_next_execution_continues(
    plan: StudyPlan, tmp_path: Path, at: int
) -> None:
    """No finished run is trained again, and the study ends as it would have without Ctrl-C."""
    path = tmp_path / "runs.sqlite"
    finished: list[str] = []

    def interrupt(progress: Progress) -> None:
        if progress.result is not None:
            finished.append(progress.result.key)
            if progress.trained == at:
                raise KeyboardInterrupt

    first = execute(plan, path, observer=interrupt)
    assert not first.complete
    assert first.trained >= at
    partial = load_study(tmp_path)
    assert not partial.complete
    counter = Counter()
    second = execute(plan, path, counter)
    assert second.complete
    assert not set(counter.keys) & set(finished)
    assert content(second) == content(execute(plan, tmp_path / "undisturbed.sqlite"))


def test_progress_goes_up_to_what_was_planned(plan: StudyPlan, tmp_path: Path) -> None:
    """The number of finished runs never falls, and ends at the number of planned runs."""
    reports: list[Progress] = []
    study = execute(plan, tmp_path / "runs.sqlite", observer=reports.append)
    done = [progress.done for progress in reports]
    assert done == sorted(done)
    assert all(progress.done <= progress.planned for progress in reports)
    assert reports[-1].done == reports[-1].planned
    assert reports[-1].trained == study.trained
    assert reports[-1].leader in {entrant.label for entrant in plan.entrants}
    assert all(a.planned <= b.planned for a, b in itertools.pairwise(reports))


def test_failures_are_kept_and_tried_again_on_demand(plan: StudyPlan, tmp_path: Path) -> None:
    """A failed run counts as a run; it is trained again only if asked for."""
    path = tmp_path / "runs.sqlite"

    failing = {
        evaluation_seed(workload.label, 0, 1)
        for workload in plan.workloads
        if workload.dataset == "moons"
    }

    def sometimes(spec: RunSpec) -> RunResult:
        if spec.seed in failing:
            raise ValueError("no good")
        return fake_train(spec)

    study = execute(plan, path, sometimes)
    assert len(study.failed) == 6
    assert study.failed[0].reason == "ValueError: no good"
    counter = Counter()
    assert len(execute(plan, path, counter).failed) == 6
    assert counter.keys == []
    mended = execute(plan, path, counter, retry_failed=True)
    assert len(counter.keys) == 6
    assert mended.failed == []
    assert content(mended) == content(execute(plan, tmp_path / "clean.sqlite"))


def test_an_optimizer_that_always_diverges_stays_in(plan: StudyPlan, tmp_path: Path) -> None:
    """It is evaluated like the others, and comes last."""
    suite = Suite(
        name="wild",
        datasets=("iris",),
        regimes=("batch",),
        optimizers=("sgd", "sgd[lr=9]"),
        protocol=StudyProtocol(budget=2, seeds=2, replicates=1),
    )
    study = execute(build_plan(suite, default_registry()), tmp_path / "runs.sqlite")
    assert {result.status for result in study.cells[1].evaluation} == {Status.DIVERGED}
    assert [row.label for row in study.leaderboard.overall][-1] == "sgd[lr=9]"


def test_a_saved_study_is_read_without_training(plan: StudyPlan, tmp_path: Path) -> None:
    """Cells, command and environment come back; a folder without a study is named."""
    study = execute(plan, tmp_path / "runs.sqlite")
    saved = load_study(tmp_path)
    assert content(saved) == content(study)
    assert (saved.command, saved.environment) == ("optbench run tiny", {"python": "3"})
    assert saved.leaderboard == study.leaderboard
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match="has no study"):
        load_study(empty)
    with Store(empty / "runs.sqlite"):
        pass
    with pytest.raises(ConfigError, match="is not finished"):
        load_study(empty)
    with Store(empty / "runs.sqlite") as store:
        store.save_study(b"{}")
    with pytest.raises(StoreError, match="cannot be read"):
        load_study(empty)


def test_a_damaged_run_is_named_left_out_and_trained_again(
    plan: StudyPlan, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same command brings back the study that was stored, and trains nothing else."""
    path = tmp_path / STORE_NAME
    study = execute(plan, path)
    board = to_json(study.leaderboard)
    keys = {study.cells[0].trials[0].results[0].key, study.cells[0].evaluation[0].key}
    for key in keys:
        damage(path, key)
    read = load_study(tmp_path)
    assert {run.key for run in read.runs} == {run.key for run in study.runs} - keys
    assert all(f"run {key} is damaged: its checksum" in caplog.text for key in keys)
    again = execute(plan, path)
    assert again.trained == len(keys)
    assert to_json(again.leaderboard) == board


@pytest.mark.parametrize("lr", ["text", 10**400, True])
def test_a_recorded_lr_that_is_not_a_number_is_ignored(
    plan: StudyPlan, tmp_path: Path, lr: str | int
) -> None:
    """The record of a study can be tampered with, like everything in a store."""
    study = execute(plan, tmp_path / STORE_NAME)
    board = study.leaderboard
    tuned = next(cell for cell in study.cells if len(cell.trials) > 1)
    odd = replace(tuned, trials=(Trial({"lr": lr}, tuned.trials[0].results), *tuned.trials[1:]))
    cells = tuple(odd if cell is tuned else cell for cell in study.cells)
    assert replace(study, cells=cells).leaderboard.overall == board.overall


def damage(path: Path, key: str) -> None:
    """Replace the spec of a run by that of another one."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "UPDATE runs SET spec = (SELECT spec FROM runs WHERE key <> :key) WHERE key = :key",
            {"key": key},
        )


@pytest.mark.parametrize("until", [None, "decided"])
def test_a_damaged_record_is_made_again_from_the_runs(
    plan: StudyPlan, tmp_path: Path, until: Literal["decided"] | None
) -> None:
    """The same command trains nothing, and ends with the same study."""
    path = tmp_path / STORE_NAME
    with Store(path) as store, LocalExecutor(2, train=fake_train) as executor:
        before = run_study(plan, store, executor, until=until)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE studies SET checksum = x'00'")
    with Store(path) as store, LocalExecutor(2, train=fake_train) as executor:
        after = run_study(plan, store, executor, until=until)
    assert after.trained == 0
    for study in (after, load_study(tmp_path)):
        assert (study.protocol, study.looks) == (before.protocol, before.looks)
        assert content(study) == content(before)


def test_two_studies_on_one_store_both_finish(plan: StudyPlan, tmp_path: Path) -> None:
    """Two drivers at once end with the same study, and no run is stored twice."""
    path = tmp_path / "runs.sqlite"
    studies: list[Study] = []
    drivers = [
        threading.Thread(target=lambda: studies.append(execute(plan, path))) for _ in range(2)
    ]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert len(studies) == 2
    assert content(studies[0]) == content(studies[1])
    with Store(path) as store:
        assert store.count() == len(studies[0].runs)


class WeakResult(RunResult):
    """A result with weak references, to observe when it is released."""


class OneAtATime(Executor):
    """Trains in this thread, and has room for one run."""

    def __init__(self) -> None:
        self._submitted: list[RunSpec] = []

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Nothing to prepare."""

    def room(self) -> int:
        return 1 - len(self._submitted)

    def submit(self, spec: RunSpec) -> None:
        self._submitted.append(spec)

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        specs, self._submitted = self._submitted, []
        for result in map(fake_train, specs):
            arrived.append(WeakResult(**{f.name: getattr(result, f.name) for f in fields(result)}))

    def close(self) -> None:
        """Nothing to end."""


@pytest.mark.long
def test_memory_holds_only_the_open_cells(plan: StudyPlan, tmp_path: Path) -> None:
    """A cell is finished before many others are opened, and its results are released."""
    results: list[weakref.ref[RunResult]] = []
    most = 0

    def count(progress: Progress) -> None:
        nonlocal most
        if progress.result is not None:
            results.append(weakref.ref(progress.result))
        gc.collect()
        most = max(most, sum(result() is not None for result in results))

    gc.freeze()  # what other tests left behind need not be looked through after each run
    try:
        with Store(tmp_path / "runs.sqlite") as store:
            study = run_study(plan, store, OneAtATime(), observer=count)
    finally:
        gc.unfreeze()
    largest = max(sum(len(t.results) for t in c.trials) + len(c.evaluation) for c in study.cells)
    assert len(results) == len(study.runs)
    assert most <= 2 * largest < len(results) / 4


def test_a_store_that_fails_ends_the_study_with_its_error(
    plan: StudyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is one clear error instead of a study without its runs."""

    def full(self: Store, result: RunResult) -> None:
        raise StoreError("runs.sqlite: the disk is full")

    monkeypatch.setattr(Store, "put", full)
    with pytest.raises(StoreError, match="disk is full"):
        execute(plan, tmp_path / "runs.sqlite")


def test_the_environment_has_versions_and_no_path() -> None:
    """It holds the information needed to interpret times, and nothing private."""
    environment = describe_environment(default_registry())
    assert environment["packages"]["numpy"] == np.__version__
    assert "optbench:builtin" in environment["plugins"]
    assert "unknown" not in (environment["blas"], environment["libc"])
    assert str(Path.home()) not in msgspec.json.encode(environment).decode()


def test_the_library_behind_numpy_is_named_whatever_else_is_loaded() -> None:
    """SciPy brings another one; whether it is loaded says nothing about the machine."""
    importlib.import_module("scipy.linalg.blas")
    assert "," not in describe_environment(default_registry())["blas"]


def test_ctrl_c_after_the_last_run_has_nothing_to_interrupt(
    plan: StudyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study whose last result is stored, though not yet counted, is complete."""
    undisturbed = execute(plan, tmp_path / "undisturbed.sqlite")
    stored, put = 0, Store.put

    def interrupted(self: Store, result: RunResult) -> None:
        nonlocal stored
        put(self, result)
        stored += 1
        if stored == undisturbed.trained:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "put", interrupted)
    study = execute(plan, tmp_path / "runs.sqlite")
    assert study.complete
    assert study.progress is None
    assert content(study) == content(undisturbed)


def test_an_executor_is_closed_when_interrupted(plan: StudyPlan, tmp_path: Path) -> None:
    """After Ctrl-C no thread or process continues to train."""
    closed: list[Executor] = []

    class Watched(LocalExecutor):
        def close(self) -> None:
            closed.append(self)
            super().close()

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with Store(tmp_path / "runs.sqlite") as store:
        executor = Watched(1, train=fake_train)
        run_study(plan, store, executor, observer=interrupt)
    assert closed == [executor]
