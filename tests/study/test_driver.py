"""The loop that trains runs: what Ctrl-C leaves behind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import pytest

from optbench.plan import StudyPlan
from optbench.records import RunResult, RunSpec
from optbench.store import Store
from optbench.study import driver
from optbench.study.driver import Driver, KnownResults
from optbench.study.open_cells import OpenCells
from tests.study.test_growing_cells import make_plan
from tests.study.test_running import OneAtATime


def drive(plan: StudyPlan, store: Store, executor: OneAtATime) -> Driver:
    """Train the runs of a study."""
    results = KnownResults(store)
    driver = Driver(OpenCells(plan, results), results, store, executor)
    driver.run()
    return driver


def test_ctrl_c_while_loops_are_compiled_leaves_no_elapsed_time(tmp_path: Path) -> None:
    """It counts from the moment when the first run is ready to be trained."""

    class Compiling(OneAtATime):
        def prepare(self, specs: Iterable[RunSpec]) -> None:
            raise KeyboardInterrupt

    with Store(tmp_path / "runs.sqlite") as store:
        driver = drive(make_plan(1), store, Compiling())
    assert driver.elapsed == 0.0


def test_ctrl_c_while_results_are_collected_keeps_those_that_were_taken(tmp_path: Path) -> None:
    """What an executor has handed over is stored, also if it was interrupted before its return."""

    class Collecting(OneAtATime):
        is_first = True

        def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
            super().collect(timeout, arrived)
            if self.is_first:
                self.is_first = False
                raise KeyboardInterrupt

    with Store(tmp_path / "runs.sqlite") as store:
        driver = drive(make_plan(1), store, Collecting())
        assert driver.trained == store.count() == 1


def test_the_time_around_a_run_leaves_out_the_first_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They load data and code; further runs find both."""
    clock = 0.0

    class Warming(OneAtATime):
        first = True

        def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
            nonlocal clock
            before = len(arrived)
            super().collect(timeout, arrived)
            for result in list(arrived)[before:]:
                clock += result.seconds + (1000.0 if self.first else 0.5)
                self.first = False

    monkeypatch.setattr(time, "monotonic", lambda: clock)
    with Store(tmp_path / "runs.sqlite") as store:
        done = drive(make_plan(2), store, Warming())
    assert done.trained > 4 * driver.LEAST_RUNS
    assert done.elapsed > 1000
    assert done.overhead == pytest.approx(0.5)
