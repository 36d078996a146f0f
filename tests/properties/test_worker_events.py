"""Workers send their frames, die, stall and are stopped in any order: each run comes back once."""

from __future__ import annotations

import queue
import time
import types
from collections import deque
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from optbench.execution import Limits, process_pool
from optbench.execution.process_pool import MAX_DEATHS, MAX_FALSE_STARTS, SPARE_WORKERS, ProcessPool
from optbench.execution.worker import READY, WARMING, Settings
from optbench.records import RunResult, RunSpec, Status
from optbench.records.packing import pack_result
from tests.records.factories import make_result, make_run_spec

LIMIT_SECONDS = 2.0
JOBS = 3
WORKER = st.integers(0, 10**6)
POOL_MODULE: Any = process_pool
"""Its clock is replaced."""


def group_of(spec: RunSpec) -> str:
    """Return one of four groups, which more workers serve than may live."""
    return str(spec.seed % 4)


class FakeWorker:
    """A worker without a process; the test decides what it sends, also after its end."""

    def __init__(self, now: float) -> None:
        self.runs: deque[RunSpec] = deque()
        self.inbox: deque[RunSpec] = deque()
        self.since = now
        self.started = False
        self.warming = True
        self.ended = False
        self.disturbed = False
        self.group = ""

    def has_ended_unnoticed(self) -> bool:
        return False

    def give(self, spec: RunSpec) -> None:
        assert self.group == group_of(spec), "a worker serves other plugins than its own"
        self.runs.append(spec)
        self.inbox.append(spec)

    def end(self) -> str:
        self.ended = True
        return "signal 9"


class Workers(RuleBasedStateMachine):
    """A pool whose workers do anything."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        POOL_MODULE.time = types.SimpleNamespace(monotonic=lambda: self.now)
        self.workers: list[FakeWorker] = []
        self.submitted: set[str] = set()
        self.returned: dict[str, RunResult] = {}
        self.false_starts = 0
        self.deaths = 0
        self.waited = 0.0
        start: Any = self.start_worker
        self.pool = ProcessPool(JOBS, Settings(), Limits(seconds=LIMIT_SECONDS), group_of, start)
        self.events: queue.SimpleQueue[Any] = self.pool._events
        self.stop_seconds = 0.0
        pool: Any = self.pool
        pool._events = types.SimpleNamespace(get=self.get_event, put=self.events.put)

    def get_event(self, **options: Any) -> Any:
        """Return the next event; the driver may be stopped while it waits."""
        self.now += self.stop_seconds
        self.stop_seconds = 0.0
        return self.events.get(block=False)

    def start_worker(self, settings: Settings, events: object) -> FakeWorker:
        self.workers.append(FakeWorker(self.now))
        return self.workers[-1]

    def pick(self, number: int) -> FakeWorker:
        """Return any worker of this pool, ended ones too."""
        return self.workers[number % len(self.workers)]

    @precondition(lambda self: self.pool.in_flight < 3 * JOBS)
    @rule()
    def submit(self) -> None:
        spec = make_run_spec(seed=len(self.submitted))
        self.submitted.add(spec.key)
        self.pool.submit(spec)

    @precondition(lambda self: self.workers)
    @rule(number=WORKER, frame=st.sampled_from([READY, WARMING]))
    def report(self, number: int, frame: bytes) -> None:
        """A worker reports its state."""
        self.events.put((self.pick(number), frame))

    @precondition(lambda self: self.workers)
    @rule(number=WORKER, readable=st.booleans())
    def answer(self, number: int, readable: bool) -> None:
        """A worker finishes a run that it was given, perhaps after it was retired."""
        worker = self.pick(number)
        if worker.inbox:
            result = pack_result(make_result(worker.inbox.popleft()))
            self.events.put((worker, result if readable else b"no result"))

    @precondition(lambda self: self.workers)
    @rule(number=WORKER)
    def die(self, number: int) -> None:
        """A worker ends; a few times even before it is ready."""
        worker = self.pick(number)
        if not worker.started:
            self.false_starts += 1
        if worker.started or self.false_starts < MAX_FALSE_STARTS:
            self.deaths += worker.started
            self.events.put((worker, None))

    @rule(seconds=st.floats(0, 0.2))
    def look(self, seconds: float) -> None:
        """A moment later the driver collects what has arrived."""
        self.now += seconds
        self.waited += seconds
        self.collect()

    @rule(seconds=st.floats(1, 1e6), is_waiting=st.booleans())
    def stop(self, seconds: float, is_waiting: bool) -> None:
        """The driver is stopped for a while, while it waits for events or does other work."""
        self.stop_seconds = seconds if is_waiting else 0.0
        self.now += 0.0 if is_waiting else seconds
        self.collect()

    def collect(self) -> None:
        arrived: deque[RunResult] = deque()
        self.pool.collect(0, arrived)
        for result in arrived:
            assert result.key not in self.returned, "a run came back twice"
            self.returned[result.key] = result

    @invariant()
    def nothing_is_lost(self) -> None:
        """Runs are in flight or returned, and as many workers live as are allowed."""
        assert self.returned.keys() <= self.submitted
        assert self.pool.in_flight == len(self.submitted) - len(self.returned)
        assert sum(not worker.ended for worker in self.workers) <= JOBS + SPARE_WORKERS
        assert sum(bool(worker.runs) for worker in self.workers) <= JOBS

    @invariant()
    def nobody_is_blamed_for_the_time_of_others(self) -> None:
        """No run is overdue while the driver did not look, or dead before three workers died."""
        failed = [r.reason or "" for r in self.returned.values() if r.status is Status.FAILED]
        if any("no result within" in reason for reason in failed):
            assert self.waited > LIMIT_SECONDS
        if any("died" in reason for reason in failed):
            assert self.deaths >= MAX_DEATHS

    def teardown(self) -> None:
        """From now on every worker does its work: all runs come back."""
        try:
            for _ in range(20 * JOBS):
                for worker in [worker for worker in self.workers if not worker.ended]:
                    self.events.put((worker, READY))
                    if worker.inbox:
                        result = pack_result(make_result(worker.inbox.popleft()))
                        self.events.put((worker, result))
                self.collect()
            assert self.returned.keys() == self.submitted
        finally:
            self.pool.close()
            POOL_MODULE.time = time


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
