"""Threads of this process that train runs."""

from __future__ import annotations

import queue
import threading

from optbench.errors import describe_error
from optbench.execution.executor import Train
from optbench.records import RunResult, RunSpec


class ThreadPool:
    """Threads that train runs in this process; daemons, so that none delays its exit.

    Args:
        jobs: Number of threads.
        train: Trains one run.
        done: Queue that receives the results.
    """

    def __init__(self, jobs: int, train: Train, done: queue.SimpleQueue[RunResult]) -> None:
        self._train = train
        self._done = done
        self._waiting: queue.SimpleQueue[RunSpec | None] = queue.SimpleQueue()
        self._closed = False
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(jobs)]
        for thread in self.threads:
            thread.start()

    def submit(self, spec: RunSpec) -> None:
        """Queue a run."""
        self._waiting.put(spec)

    def _work(self) -> None:
        while (spec := self._waiting.get()) is not None and not self._closed:
            try:
                result = self._train(spec).without_params()
            except BaseException as cause:  # if the thread ended, its run would never come back
                result = RunResult.failed(spec, describe_error(cause))
            self._done.put(result)

    def close(self) -> None:
        """Start no further run; the run that a thread is training continues to its end."""
        self._closed = True
        for _ in self.threads:
            self._waiting.put(None)
