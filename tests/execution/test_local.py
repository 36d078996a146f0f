"""Local execution: every run comes back once, and a fault stays with its run."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import msgspec
import psutil
import pytest

from optbench.engine.training import train_spec
from optbench.errors import ConfigError, OptbenchError
from optbench.execution import Executor, LocalExecutor
from optbench.execution.channel import SignedReader
from optbench.records import RunResult, RunSpec, Status
from optbench.registry import default_registry
from optbench.support.child_processes import available_cores
from tests.engine.spec_factory import spec_of
from tests.records.factories import make_result, make_run_spec
from tests.support.waiting import PATIENCE

PLUGIN = Path(__file__).parents[1] / "faults" / "misbehaving.py"


@pytest.fixture
def plugin() -> Iterator[str]:
    """A plugin file, loaded into this process until the test ends."""
    registry = default_registry()
    registry.load_named(str(PLUGIN))
    yield str(PLUGIN)
    registry.unregister(registry.plugins[-1])


def spec(fault: str = "none", seed: int = 0) -> RunSpec:
    return spec_of(f"misbehaving[fault={fault}]", dataset="iris", epochs=1, seed=seed)


def results_by_fault(executor: Executor, *faults: str) -> dict[str, RunResult]:
    runs = executor.map(spec(fault, seed) for seed, fault in enumerate(faults))
    return {str(result.spec.hyper["fault"]): result for result in runs}


def test_every_run_comes_back_once_with_the_numbers_of_a_single_process(plugin: str) -> None:
    """Workers, order and number of jobs do not change a result."""
    wanted = [spec(seed=seed) for seed in range(12)]
    with LocalExecutor(2, plugins=[plugin]) as executor:
        results = list(executor.map(wanted))
    assert sorted(result.key for result in results) == sorted(s.key for s in wanted)
    for result in results:
        alone = train_spec(result.spec)
        assert result.params_hash == alone.params_hash
        assert result.curve["val_loss"].tobytes() == alone.curve["val_loss"].tobytes()
        assert result.params is None


def test_a_run_is_tried_again_when_its_worker_is_killed(
    plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One kill -9 costs nothing but time."""
    monkeypatch.setenv("FAULTS_MARK", str(tmp_path / "mark"))
    with LocalExecutor(1, plugins=[plugin]) as executor:
        results = results_by_fault(executor, "dies-once", "none")
    assert {result.status for result in results.values()} == {Status.OK}
    assert (tmp_path / "mark").exists()


def test_a_finished_run_is_not_blamed_for_the_next_one_that_kills_its_worker(
    plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though on a busy machine its result is read long after the worker has died."""
    read = SignedReader.read

    def read_late(self: SignedReader) -> bytes | None:
        frame = read(self)
        time.sleep(0.5)
        return frame

    monkeypatch.setattr(SignedReader, "read", read_late)
    with LocalExecutor(1, plugins=[plugin]) as executor:
        results = results_by_fault(executor, "none", "dies")
    assert results["none"].status is Status.OK
    assert "its worker died each of 3 times" in (results["dies"].reason or "")


def test_workers_that_cannot_start_end_the_study(tmp_path: Path) -> None:
    """A plugin that the workers do not find is one error, instead of a failure of every run."""
    run = spec_of("sgd", dataset="iris", epochs=1)
    executor = LocalExecutor(1, plugins=[str(tmp_path / "gone.py")])
    executor._compiled["sgd"] = False
    with executor, pytest.raises(OptbenchError, match="end before they are ready"):
        list(executor.map([run]))


def test_a_plugin_edited_after_the_plan_ends_the_study(plugin: str) -> None:
    """A worker that starts later would train other code under the same key."""
    planned = msgspec.structs.replace(spec(), optimizer_code="0" * 12)
    with (
        LocalExecutor(1, plugins=[plugin]) as executor,
        pytest.raises(OptbenchError, match="optimizer 'misbehaving' has different source code"),
    ):
        list(executor.map([planned]))


def test_no_worker_outlives_its_driver(plugin: str) -> None:
    """Closing ends them at once, even in the middle of an endless run."""
    before = psutil.Process().children()
    with LocalExecutor(1, plugins=[plugin]) as executor:
        executor.submit(spec("loops"))
        workers = [child for child in psutil.Process().children() if child not in before]
        assert workers
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc/self/statm are missing")
def test_a_memory_limit_is_lifted_to_the_original_one() -> None:
    """A limit set from outside, as by ``ulimit -S -v``, stays in force."""
    code = """
from resource import RLIMIT_AS, getrlimit, setrlimit
from optbench.execution.worker import limit_memory
setrlimit(RLIMIT_AS, (2**34, getrlimit(RLIMIT_AS)[1]))
for megabytes in None, 100, None:
    limit_memory(megabytes)
    print(getrlimit(RLIMIT_AS)[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, bounded, last = map(int, done.stdout.split())
    assert bounded < first == last == 2**34


# -- threads --------------------------------------------------------------------------------------


def test_threads_train_in_parallel_and_report_faults() -> None:
    """Two jobs are two runs at a time; an exception becomes the result of its run."""
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def train(run: RunSpec) -> RunResult:
        if run.seed < 2:
            meeting.wait()
        if run.seed == 3:
            raise SystemExit("out")
        return train_spec(run)

    with LocalExecutor(2, train=train) as executor:
        runs = [spec_of("sgd", dataset="iris", epochs=1, seed=seed) for seed in range(5)]
        results = {result.spec.seed: result for result in executor.map(runs)}
    assert set(results) == set(range(5))
    assert results[3].reason == "SystemExit: out"
    assert {results[seed].status for seed in (0, 1, 2, 4)} == {Status.OK}
    assert all(result.params is None for result in results.values())


def test_the_window_in_flight_is_bounded() -> None:
    """Only a few runs are taken at a time, however many are planned."""
    gate = threading.Event()

    def train(run: RunSpec) -> RunResult:
        gate.wait(PATIENCE)
        return train_spec(run)

    n_taken = 0

    def many() -> Iterator[RunSpec]:
        nonlocal n_taken
        for seed in range(60):
            n_taken += 1
            yield spec_of("sgd", dataset="iris", epochs=1, seed=seed)

    with LocalExecutor(1, train=train) as executor:
        runs = executor.map(many())
        timer = threading.Timer(0.2, gate.set)
        timer.start()
        next(runs)
        assert n_taken <= 12
        assert len(list(runs)) == 59


def test_closing_starts_no_further_run() -> None:
    """Waiting runs are abandoned, and nothing hangs."""
    started: list[int] = []
    gate = threading.Semaphore(1)

    def train(run: RunSpec) -> RunResult:
        started.append(run.seed)
        gate.acquire(timeout=PATIENCE)
        return train_spec(run)

    executor = LocalExecutor(1, train=train)
    for seed in range(8):
        executor.submit(spec_of("sgd", dataset="iris", epochs=1, seed=seed))
    arrived: deque[RunResult] = deque()
    executor.collect(PATIENCE, arrived)
    assert len(arrived) == 1
    pool = executor._threads
    assert pool is not None
    executor.close()
    gate.release(8)
    for thread in pool.threads:
        thread.join(PATIENCE)
    assert len(started) <= 2


def test_ctrl_c_between_two_results_loses_none() -> None:
    """Those that were taken before the signal are in the hands of the caller."""

    class Interrupted(queue.SimpleQueue[RunResult]):
        calls = 0

        def get(self, block: bool = True, timeout: float | None = None) -> RunResult:
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().get(block, timeout)

        def get_nowait(self) -> RunResult:
            return self.get(block=False)

    executor = LocalExecutor(1)
    executor._done = Interrupted()
    for seed in range(3):
        executor._done.put(make_result(make_run_spec(seed=seed)))
    arrived: deque[RunResult] = deque()
    with pytest.raises(KeyboardInterrupt):
        executor.collect(0, arrived)
    assert [result.spec.seed for result in arrived] == [0, 1]
    executor.collect(0, arrived)
    assert [result.spec.seed for result in arrived] == [0, 1, 2]


def test_ctrl_c_while_a_worker_gets_its_next_run_does_not_lose_its_last_one(
    plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may even have to be started for it, which takes a while."""
    arrived: deque[RunResult] = deque()
    with LocalExecutor(1, plugins=[plugin]) as executor:
        executor.submit(spec())
        pool = executor._processes
        assert pool is not None
        monkeypatch.setattr(pool, "_hand_out", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            executor.collect(PATIENCE, arrived)
        assert [result.status for result in arrived] == [Status.OK]


def test_jobs_are_at_least_one() -> None:
    """The default is every core that this process may use."""
    assert LocalExecutor().jobs == available_cores() >= 1
    with pytest.raises(ConfigError, match="jobs=0"):
        LocalExecutor(0)
