"""Worker processes of this machine; a fault in a run ends only its own worker."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable

from optbench.errors import OptbenchError, StoreError
from optbench.execution.executor import Limits
from optbench.execution.worker import READY, REFUSED, WARMING, Settings
from optbench.execution.worker_process import Events, WorkerProcess
from optbench.records import RunResult, RunSpec
from optbench.records.packing import unpack_result

AHEAD = 3
"""Runs that a worker has at a time, so that it never waits for the driver."""
SPARE_WORKERS = 2
"""Idle workers, beyond one per job, that wait for further runs of their plugins."""
MAX_DEATHS = 3
"""Number of workers that may die during a run before it is recorded as failed."""
MAX_FALSE_STARTS = 3
"""Consecutive workers that end before they are ready after which the study is aborted."""
START_SECONDS = 600.0
"""Time that a worker has to start, to load a dataset or to compile on a busy machine."""
POLL_SECONDS = 0.1
"""Time between two checks for overdue runs."""

LOOK_SECONDS = 0.25
"""Longest time between two looks at the workers that counts against their runs.

A longer one is no fault of theirs: this process was stopped (Ctrl-Z), busy, or the machine asleep.
"""


class ProcessPool:
    """Up to `jobs` worker processes, started when there is work for them.

    Args:
        jobs: Number of workers.
        settings: Sent to each worker at its start.
        limits: Limits of one run.
        group_of: Name of the plugins that a run needs. A worker serves one group in its life, so
            what a plugin does to its process stays with its own runs.
        start_worker: Starts a worker; another one in tests.
    """

    def __init__(
        self,
        jobs: int,
        settings: Settings,
        limits: Limits,
        group_of: Callable[[RunSpec], str] = lambda spec: "",
        start_worker: Callable[[Settings, Events], WorkerProcess] = WorkerProcess,
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._limits = limits
        self._workers: list[WorkerProcess] = []
        self._waiting: dict[str, deque[RunSpec]] = {}  # by group; none is empty
        self._group_of = group_of
        self._false_starts = 0
        self._deaths: dict[str, int] = {}
        self._events: Events = queue.SimpleQueue()
        self._start_worker = start_worker
        self._last_look = time.monotonic()

    @property
    def in_flight(self) -> int:
        """Number of runs submitted and not yet collected."""
        waiting = sum(len(runs) for runs in self._waiting.values())
        return waiting + sum(len(worker.runs) for worker in self._workers)

    def submit(self, spec: RunSpec) -> None:
        """Queue a run, and start another worker if all others are busy."""
        self._waiting.setdefault(self._group_of(spec), deque()).append(spec)
        self._hand_out()

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        """Take the results finished since the last call; wait for the first.

        Args:
            timeout: Longest wait, in seconds.
            arrived: Each result is appended as soon as it is taken.

        Raises:
            OptbenchError: Workers cannot start, or have other plugins than the driver.
        """
        before = len(arrived)
        deadline = time.monotonic() + timeout
        while True:
            self._excuse_gap()
            left = 0.0 if len(arrived) > before else deadline - time.monotonic()
            wait = min(max(left, 0.0), POLL_SECONDS)
            try:
                worker, frame = self._events.get(block=wait > 0, timeout=wait or None)
            except queue.Empty:
                self._kill_overdue(self._excuse_gap(), arrived)
                for worker in self._workers:
                    if worker.has_ended_unnoticed():
                        self._events.put((worker, None))
                if len(arrived) > before or time.monotonic() >= deadline:
                    return
            else:
                self._handle(worker, frame, arrived)

    def _excuse_gap(self) -> float:
        """Move the start of the runs by the time in which this process could not look at them.

        Returns:
            The time up to which nothing else may count: this process can be stopped at any line.
        """
        now = time.monotonic()
        gap = now - self._last_look
        self._last_look = now
        if gap > LOOK_SECONDS:
            for worker in self._workers:
                worker.since = min(worker.since + gap, now)
        return now

    def _hand_out(self) -> None:
        """Give runs to idle workers while a job is free, then to those that have the fewest."""
        while self._waiting and sum(bool(worker.runs) for worker in self._workers) < self._jobs:
            group = next(iter(self._waiting))
            self._find_worker(group).give(self._take(group))
        for depth in range(1, AHEAD):
            for worker in self._workers:
                if worker.group in self._waiting and len(worker.runs) == depth:
                    worker.give(self._take(worker.group))

    def _take(self, group: str) -> RunSpec:
        """Return the next waiting run of a group."""
        runs = self._waiting[group]
        spec = runs.popleft()
        if not runs:
            del self._waiting[group]
        return spec

    def _find_worker(self, group: str) -> WorkerProcess:
        """Return an idle worker of a group; start one if there is none."""
        idle = [worker for worker in self._workers if not worker.runs]
        for worker in idle:
            if worker.group == group:
                return worker
        if idle and len(self._workers) >= self._jobs + SPARE_WORKERS:
            self._workers.remove(idle[0])
            idle[0].end()
        worker = self._start_worker(self._settings, self._events)
        worker.group = group
        self._workers.append(worker)
        return worker

    def _handle(
        self, worker: WorkerProcess, frame: bytes | None, arrived: deque[RunResult]
    ) -> None:
        """Take the result that an event brings, if it brings one.

        A retired worker may have sent frames before it was killed. Its runs were recorded as failed
        or given to others, so these frames are dropped.
        """
        if worker not in self._workers:
            return
        if frame is None:
            self._handle_end(worker, arrived)
        else:
            self._handle_frame(worker, frame, arrived)

    def _handle_frame(self, worker: WorkerProcess, frame: bytes, arrived: deque[RunResult]) -> None:
        """Take the result in a frame, unless it only reports the state of its worker."""
        worker.since = time.monotonic()
        if frame in (READY, WARMING):
            worker.warming = frame == WARMING
            worker.started = True
            self._false_starts = 0
            return
        if frame.startswith(REFUSED):
            text = frame.removeprefix(REFUSED).decode()
            raise OptbenchError(f"a worker process cannot continue: {text}; was a file edited?")
        spec = worker.runs.popleft()
        try:
            arrived.append(unpack_result(frame))
        except StoreError as cause:
            reason = f"its worker sent an unreadable result: {cause}"
            arrived.append(RunResult.failed(spec, reason))
        self._hand_out()

    def _kill_overdue(self, now: float, arrived: deque[RunResult]) -> None:
        """Kill the workers that take longer than allowed; their runs have failed."""
        for worker in list(self._workers):
            limit = START_SECONDS if worker.warming else self._limits.seconds
            if limit is None or not worker.runs or now - worker.since <= limit:
                continue
            spec = worker.runs.popleft()
            arrived.append(
                RunResult.failed(spec, f"no result within {limit:g} seconds; its worker was killed")
            )
            self._retire(worker)

    def _handle_end(self, worker: WorkerProcess, arrived: deque[RunResult]) -> None:
        """Replace a worker that has ended; its run has failed if it keeps killing workers."""
        if not worker.started:
            self._false_starts += 1
            if self._false_starts >= MAX_FALSE_STARTS:
                how = self._retire(worker, replace=False)
                raise OptbenchError(f"worker processes end before they are ready ({how})")
        elif worker.runs:
            first = worker.runs[0]
            deaths = self._deaths[first.key] = self._deaths.get(first.key, 0) + 1
            if deaths >= MAX_DEATHS:
                worker.runs.popleft()
                how = f"died each of {deaths} times ({self._retire(worker)})"
                if worker.disturbed:
                    how = (
                        f"was lost {deaths} times, the last time because something wrote to its "
                        "results"
                    )
                arrived.append(RunResult.failed(first, f"its worker {how}"))
                return
        self._retire(worker)

    def _retire(self, worker: WorkerProcess, replace: bool = True) -> str:
        """End a worker, take back its runs, perhaps replace it, and describe how it ended."""
        self._workers.remove(worker)
        how = worker.end()
        if worker.runs:
            self._waiting.setdefault(worker.group, deque()).extendleft(reversed(worker.runs))
            worker.runs.clear()
        if replace:
            self._hand_out()
        return how

    def close(self) -> None:
        """End every worker at once."""
        self._waiting.clear()
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()
