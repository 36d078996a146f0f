"""Execution: every run comes back once, and a fault stays with the run that has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from optbench.engine.training import make_spec, train_spec
from optbench.errors import ConfigError, OptbenchError
from optbench.execution import Executor, Limits, LocalExecutor
from optbench.execution.local import available_cores
from optbench.records import RunResult, RunSpec, Status
from optbench.registry import default_registry

PLUGIN = '''
import os, sys, time
import numpy as np
from optbench import Stepper, hyper

class Misbehaving(Stepper):
    """Does one thing wrong."""
    name = "misbehaving"
    fault: str = hyper("none", "what goes wrong")
    lr: float = hyper(0.1, low=0)

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        fault = context.h.fault
        if fault == "raises":
            raise ValueError("no good")
        if fault == "exits":
            sys.exit(3)
        if fault == "dies":
            os._exit(7)
        if fault == "dies-once" and not os.path.exists(os.environ["OPTBENCH_TEST_MARK"]):
            open(os.environ["OPTBENCH_TEST_MARK"], "w").close()
            os.kill(os.getpid(), 9)
        if fault == "hangs":
            while True:
                pass
        if fault == "sleeps":
            time.sleep(60)
        if fault == "allocates":
            self.hoard = [np.ones(2**20) for _ in range(2000)]
        if fault == "prints":
            os.write(1, b"noise that is no result")
            print("more noise", flush=True)
        for p, g in zip(params, grads):
            p -= context.h.lr * g
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    """A plugin file, loaded into this process until the test ends."""
    path = tmp_path / "misbehaving.py"
    path.write_text(PLUGIN)
    registry = default_registry()
    registry.load_named(str(path))
    yield str(path)
    registry.unregister(registry.plugins[-1])


def spec(fault: str = "none", seed: int = 0) -> RunSpec:
    return make_spec(f"misbehaving[fault={fault}]", dataset="iris", epochs=1, seed=seed)


def by_fault(executor: Executor, *faults: str) -> dict[str, RunResult]:
    runs = executor.map(spec(fault, seed) for seed, fault in enumerate(faults))
    return {str(result.spec.hyper["fault"]): result for result in runs}


def test_every_run_comes_back_once_with_the_numbers_of_a_single_process(plugin: str) -> None:
    """Workers, order and number of jobs change nothing in a result."""
    wanted = [spec(seed=seed) for seed in range(12)]
    with LocalExecutor(2, plugins=[plugin]) as executor:
        results = list(executor.map(wanted))
    assert sorted(result.key for result in results) == sorted(s.key for s in wanted)
    for result in results:
        alone = train_spec(result.spec)
        assert result.params_hash == alone.params_hash
        assert result.curve["val_loss"].tobytes() == alone.curve["val_loss"].tobytes()
        assert result.params is None


def test_a_fault_stays_with_its_own_run(plugin: str) -> None:
    """Raising, leaving, dying and printing touch no neighbour, and each is named."""
    with LocalExecutor(2, plugins=[plugin]) as executor:
        found = by_fault(executor, "none", "raises", "exits", "dies", "prints")
    assert {fault for fault, result in found.items() if result.status is Status.OK} == {
        "none",
        "prints",
    }
    assert "no good" in found["raises"].reason
    assert "3" in found["exits"].reason
    assert found["dies"].reason == "its worker died each of 3 times (exit code 7)"


def test_a_run_is_tried_again_when_its_worker_is_killed(
    plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One kill -9 costs nothing but time."""
    monkeypatch.setenv("OPTBENCH_TEST_MARK", str(tmp_path / "mark"))
    with LocalExecutor(1, plugins=[plugin]) as executor:
        found = by_fault(executor, "dies-once", "none")
    assert {result.status for result in found.values()} == {Status.OK}
    assert (tmp_path / "mark").exists()


def test_a_run_without_end_is_stopped(plugin: str) -> None:
    """A limit of time ends a loop for ever and a sleep, and the others finish."""
    with LocalExecutor(2, plugins=[plugin], limits=Limits(seconds=0.5)) as executor:
        found = by_fault(executor, "hangs", "sleeps", "none")
    assert found["none"].status is Status.OK
    for fault in ("hangs", "sleeps"):
        assert found[fault].status is Status.FAILED
        assert found[fault].reason == "no result within 0.5 seconds; its worker was killed"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/statm is missing elsewhere")
def test_a_run_that_allocates_without_end_fails_alone(plugin: str) -> None:
    """A limit of memory turns it into a failed run."""
    with LocalExecutor(1, plugins=[plugin], limits=Limits(memory_mb=300)) as executor:
        found = by_fault(executor, "allocates", "none")
    assert found["none"].status is Status.OK
    assert found["allocates"].status is Status.FAILED
    assert "emory" in found["allocates"].reason


def test_workers_that_cannot_start_end_the_study(tmp_path: Path) -> None:
    """A plugin that the workers do not find is one error, not a failure of every run."""
    run = make_spec("sgd", dataset="iris", epochs=1)
    executor = LocalExecutor(1, plugins=[str(tmp_path / "gone.py")])
    executor._compiled["sgd"] = False
    with executor, pytest.raises(OptbenchError, match="end before they are ready"):
        list(executor.map([run]))


def test_no_worker_outlives_its_driver(plugin: str) -> None:
    """Closing ends them at once, in the middle of a run that would not end."""
    executor = LocalExecutor(1, plugins=[plugin])
    executor.submit(spec("hangs"))
    workers = psutil.Process().children()
    assert workers
    executor.close()
    assert not any(worker.is_running() for worker in workers)


def test_workers_end_when_their_driver_is_killed(plugin: str) -> None:
    """Also by kill -9, which lets nobody clean up, and in the middle of an endless run."""
    script = f"""
    import psutil
    from optbench.engine.training import make_spec
    from optbench.execution import LocalExecutor
    from optbench.registry import default_registry
    default_registry().load_named({plugin!r})
    executor = LocalExecutor(1, plugins=[{plugin!r}])
    executor.submit(make_spec("misbehaving[fault=none]", dataset="iris", epochs=1))
    executor.collect(60)
    executor.submit(make_spec("misbehaving[fault=hangs]", dataset="iris", epochs=1))
    print(psutil.Process().children()[0].pid, flush=True)
    executor.collect(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdout is not None
        worker = psutil.Process(int(driver.stdout.readline()))
        os.kill(driver.pid, signal.SIGKILL)
    assert psutil.wait_procs([worker], timeout=20)[1] == []


# -- threads --------------------------------------------------------------------------------------


def good(run: RunSpec) -> RunResult:
    return train_spec(run)


def test_threads_train_in_parallel_and_report_faults() -> None:
    """Two jobs are two runs at a time; whatever a run raises is its result."""
    meeting = threading.Barrier(2, timeout=30)

    def train(run: RunSpec) -> RunResult:
        if run.seed < 2:
            meeting.wait()
        if run.seed == 3:
            raise SystemExit("out")
        return good(run)

    with LocalExecutor(2, train=train) as executor:
        runs = [make_spec("sgd", dataset="iris", epochs=1, seed=seed) for seed in range(5)]
        results = {result.spec.seed: result for result in executor.map(runs)}
    assert set(results) == set(range(5))
    assert results[3].reason == "SystemExit: out"
    assert {results[seed].status for seed in (0, 1, 2, 4)} == {Status.OK}
    assert all(result.params is None for result in results.values())


def test_the_window_in_flight_is_bounded() -> None:
    """However many runs are planned, few are held at a time."""
    gate = threading.Event()

    def train(run: RunSpec) -> RunResult:
        gate.wait(30)
        return good(run)

    taken = 0

    def many() -> Iterator[RunSpec]:
        nonlocal taken
        for seed in range(60):
            taken += 1
            yield make_spec("sgd", dataset="iris", epochs=1, seed=seed)

    with LocalExecutor(1, train=train) as executor:
        runs = executor.map(many())
        timer = threading.Timer(0.2, gate.set)
        timer.start()
        next(runs)
        assert taken <= 12
        assert len(list(runs)) == 59


def test_closing_starts_no_further_run() -> None:
    """What waits is given up; nothing hangs."""
    started: list[int] = []

    def train(run: RunSpec) -> RunResult:
        started.append(run.seed)
        time.sleep(0.05)
        return good(run)

    executor = LocalExecutor(1, train=train)
    for seed in range(8):
        executor.submit(make_spec("sgd", dataset="iris", epochs=1, seed=seed))
    executor.collect(5)
    executor.close()
    seen = len(started)
    time.sleep(0.3)
    assert len(started) <= seen + 1 < 8


def test_jobs_are_at_least_one() -> None:
    """The default is every core that this process may use."""
    assert LocalExecutor().jobs == available_cores() >= 1
    with pytest.raises(ConfigError, match="jobs=0"):
        LocalExecutor(0)
