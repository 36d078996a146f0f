"""Worker processes of this machine: a fault in a run takes down its own worker alone."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from typing import IO

import msgspec

from optbench.errors import OptbenchError, StoreError
from optbench.execution.executor import Limits
from optbench.execution.worker import READY, REFUSED, WARMING, Settings
from optbench.records import RunResult, RunSpec
from optbench.records.packing import pack_spec, unpack_result
from optbench.support.child_processes import end_child, read_frame, start_child, write_frame

AHEAD = 3
"""Runs a worker has at a time, so that it never waits for the driver."""
MAX_DEATHS = 3
"""A run under which so many workers died is recorded as failed."""
MAX_FALSE_STARTS = 3
"""So many workers in a row that end before they are ready, and the study is given up."""
START_SECONDS = 120.0
"""What a worker has to start, to load a dataset or to compile."""


class _Worker:
    """One process, the runs it was given, and the thread that listens to it."""

    def __init__(self, settings: Settings, events: queue.SimpleQueue[tuple[_Worker, bytes | None]]):
        self.runs: deque[RunSpec] = deque()
        self.since = time.monotonic()
        self.started = False
        self.warming = True
        self.process = start_child("optbench.execution.worker:main")
        self._send(msgspec.json.encode(settings))
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()

    def _listen(self, events: queue.SimpleQueue[tuple[_Worker, bytes | None]]) -> None:
        stream: IO[bytes] | None = self.process.stdout
        assert stream is not None
        with contextlib.suppress(OSError, ValueError):  # closed while reading: the end as well
            while (frame := read_frame(stream)) is not None:
                events.put((self, frame))
        events.put((self, None))

    def _send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has died: its listener will tell
            write_frame(self.process.stdin, data)

    def give(self, spec: RunSpec) -> None:
        """One more run to train after those it has."""
        if not self.runs:
            self.since = time.monotonic()
        self.runs.append(spec)
        self._send(pack_spec(spec))

    def end(self) -> str:
        """Kill the process if it lives; how it ended, in words."""
        return end_child(self.process)


class ProcessPool:
    """Up to `jobs` worker processes, started when there is work for them.

    Args:
        jobs: number of workers.
        settings: what each is told at its start.
        limits: what one run may take.
    """

    def __init__(self, jobs: int, settings: Settings, limits: Limits) -> None:
        self._jobs = jobs
        self._settings = settings
        self._limits = limits
        self._workers: list[_Worker] = []
        self._waiting: deque[RunSpec] = deque()
        self._false_starts = 0
        self._deaths: dict[str, int] = {}
        self._events: queue.SimpleQueue[tuple[_Worker, bytes | None]] = queue.SimpleQueue()

    @property
    def in_flight(self) -> int:
        """Runs submitted and not yet collected."""
        return len(self._waiting) + sum(len(worker.runs) for worker in self._workers)

    def submit(self, spec: RunSpec) -> None:
        """Queue a run, and start another worker if there is work for it."""
        self._waiting.append(spec)
        busy = all(worker.runs for worker in self._workers)
        if len(self._workers) < self._jobs and busy:
            self._workers.append(_Worker(self._settings, self._events))
        self._feed()

    def collect(self, timeout: float) -> list[RunResult]:
        """Results finished since the last call; waits for the first."""
        found: list[RunResult] = []
        deadline = time.monotonic() + timeout
        while True:
            try:
                rest = 0.0 if found else max(deadline - time.monotonic(), 0.0)
                worker, frame = (
                    self._events.get(timeout=min(rest, 0.1))
                    if rest
                    else (self._events.get_nowait())
                )
            except queue.Empty:
                found += self._overdue()
                if found or time.monotonic() >= deadline:
                    return found
            else:
                found += self._died(worker) if frame is None else self._heard(worker, frame)

    def _feed(self) -> None:
        for depth in range(AHEAD):
            for worker in self._workers:
                if self._waiting and len(worker.runs) == depth:
                    worker.give(self._waiting.popleft())

    def _heard(self, worker: _Worker, frame: bytes) -> list[RunResult]:
        worker.since = time.monotonic()
        if frame in (READY, WARMING):
            worker.warming = frame == WARMING
            worker.started = True
            self._false_starts = 0
            return []
        if frame.startswith(REFUSED):
            text = frame.removeprefix(REFUSED).decode()
            raise OptbenchError(f"a worker process cannot go on: {text}; was a file edited?")
        spec = worker.runs.popleft()
        self._feed()
        try:
            return [unpack_result(frame)]
        except StoreError as cause:
            return [RunResult.failed(spec, f"its worker sent something else: {cause}")]

    def _overdue(self) -> list[RunResult]:
        """Kill workers whose run takes longer than allowed."""
        found = []
        for worker in list(self._workers):
            limit = START_SECONDS if worker.warming else self._limits.seconds
            if limit is None or not worker.runs or time.monotonic() - worker.since <= limit:
                continue
            spec = worker.runs.popleft()
            found.append(
                RunResult.failed(spec, f"no result within {limit:g} seconds; its worker was killed")
            )
            self._retire(worker)
        return found

    def _died(self, worker: _Worker) -> list[RunResult]:
        """Try again elsewhere, unless it is the run that kills its workers."""
        if worker not in self._workers:
            return []
        if not worker.started:
            self._false_starts += 1
            if self._false_starts >= MAX_FALSE_STARTS:
                how = self._retire(worker, again=False)
                raise OptbenchError(f"worker processes end before they are ready ({how})")
        elif worker.runs:
            first = worker.runs[0]
            deaths = self._deaths[first.key] = self._deaths.get(first.key, 0) + 1
            if deaths >= MAX_DEATHS:
                worker.runs.popleft()
                how = self._retire(worker)
                return [RunResult.failed(first, f"its worker died each of {deaths} times ({how})")]
        self._retire(worker)
        return []

    def _retire(self, worker: _Worker, again: bool = True) -> str:
        """End a worker, take back its runs, and (`again`) put a new one in its place."""
        self._workers.remove(worker)
        how = worker.end()
        self._waiting.extendleft(reversed(worker.runs))
        worker.runs.clear()
        if again and self._waiting:
            self._workers.append(_Worker(self._settings, self._events))
            self._feed()
        return how

    def close(self) -> None:
        """End every worker at once."""
        self._waiting.clear()
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()
