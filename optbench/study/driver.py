"""The loop that trains runs and keeps their results, shared by studies and sweeps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from optbench.errors import StoreError
from optbench.execution import Executor
from optbench.records import RunResult, RunSpec, Status
from optbench.store import Store


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of a study or a sweep.

    Attributes:
        done: Runs finished, including those that were in the store.
        planned: Total number of runs known so far (a widened range adds some).
        trained: Runs trained in this execution.
        failed: Runs trained that failed for a cause other than divergence.
        leader: Entrant that is best on most workloads so far; empty at first.
        result: Result of the run just finished; None in a periodic update.
        label: Entrant that the run was trained for.
    """

    done: int
    planned: int
    trained: int
    failed: int
    leader: str = ""
    result: RunResult | None = None
    label: str = ""


Observer = Callable[[Progress], None]
"""Function called with the progress after every run, and periodically."""


def ignore_progress(progress: Progress) -> None:
    """Ignore the progress."""


class KnownResults(Mapping[str, RunResult]):
    """Results by key, first from memory and then from the store.

    Args:
        store: Store of the results.
        retry_failed: Whether runs that failed count as unknown, so that they are trained again.
    """

    def __init__(self, store: Store, retry_failed: bool = False) -> None:
        self._store = store
        store.remove_damaged()
        self._stored = store.keys(failed=not retry_failed)
        self._memory: dict[str, RunResult] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._memory or key in self._stored

    def __getitem__(self, key: str) -> RunResult:
        if key not in self._memory:
            if key not in self._stored:
                raise KeyError(key)
            self._memory |= {result.key: result for result in self._store.results([key])}
        if key not in self._memory:  # a foreign record with a matching checksum
            raise StoreError(
                f"{self._store.path}: run {key} cannot be read, though its checksum matches; "
                "choose another folder"
            )
        return self._memory[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._memory.keys() | self._stored)

    def __len__(self) -> int:
        return len(self._memory.keys() | self._stored)

    def keep(self, result: RunResult) -> None:
        """Store a new result."""
        self._store.put(result)
        self._memory[result.key] = result

    def release(self, results: Iterable[RunResult]) -> None:
        """Drop results from memory; they remain in the store."""
        for result in results:
            self._memory.pop(result.key, None)
            self._stored.add(result.key)


LEAST_RUNS = 8
"""Runs from which the time around a run is measured."""
WARM_UP = 0.25
"""Share of the runs, the first ones, that do not count for it: they load data and code."""
MOST_MARKS = 64
"""Moments that are kept to know when that share was trained."""


class Work(Protocol):
    """Interface to the runs of a study or a sweep: the next runs to train, and their progress."""

    @property
    def done(self) -> int:
        """Number of finished runs, including those that were in the store."""

    @property
    def planned(self) -> int:
        """Total number of runs known so far."""

    @property
    def leader(self) -> str:
        """Best entrant so far; empty if there is none."""

    def templates(self) -> Sequence[RunSpec]:
        """Return examples of the runs to be trained, so that an executor can prepare."""

    def next_runs(self, room: int) -> Iterable[RunSpec]:
        """Return up to `room` runs; none if all remaining ones depend on runs in flight."""

    def accept(self, result: RunResult) -> str:
        """Accept a stored result and return the label of its entrant."""


class Driver:
    """Trains runs until none is left; Ctrl-C ends it early, and everything finished is kept.

    Args:
        work: The runs.
        results: Results so far; new ones are added.
        store: Store of the results.
        executor: Trains the runs; closed when interrupted.
        observer: Function called with the progress.
        command: Command recorded in the store with the runs that are trained.
        environment: Environment recorded with them.

    Attributes:
        trained: Number of runs trained.
        failed: Number of these that failed for a cause other than divergence.
        interrupted: Whether the user ended it.
        training_seconds: Training time of all runs together.
        elapsed: Seconds since the first run was ready to be trained.
    """

    def __init__(
        self,
        work: Work,
        results: KnownResults,
        store: Store,
        executor: Executor,
        observer: Observer = ignore_progress,
        *,
        command: str = "",
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        self.trained = 0
        self.failed = 0
        self.interrupted = False
        self.training_seconds = 0.0
        self.elapsed = 0.0
        self._started: float | None = None
        self._marks: list[tuple[int, float, float]] = []  # runs, elapsed and training seconds
        self._stride = 1
        self._work = work
        self._results = results
        self._store = store
        self._executor = executor
        self._observer = observer
        self._session = (command, environment or {})

    def run(self) -> None:
        """Train all runs unless interrupted; every finished run is stored."""
        arrived: deque[RunResult] = deque()
        try:
            for result in self._executor.results(self._next_runs, arrived):
                self._store.tick()
                label = "" if result is None else self._accept(result)
                self._report(result, label)
            self._store.flush()
        except KeyboardInterrupt:
            self.interrupted = True
            self._executor.collect(0, arrived)
            for result in arrived:
                self._keep(result)
            self._executor.close()
            self._store.flush()
        if self._started is not None:
            self.elapsed = time.monotonic() - self._started

    @property
    def overhead(self) -> float | None:
        """Seconds of one core around the training of a run; None if too few runs were trained.

        The first quarter of the runs is left out: it loads data and code that later runs find.
        """
        if self.trained < LEAST_RUNS:
            return None
        warm = (mark for mark in self._marks if mark[0] >= WARM_UP * self.trained)
        runs, elapsed, training = next(warm, (0, 0.0, 0.0))
        spent = (self.elapsed - elapsed) * self._executor.jobs
        return max(spent - (self.training_seconds - training), 0.0) / (self.trained - runs)

    def _next_runs(self, room: int) -> list[RunSpec]:
        runs = list(self._work.next_runs(room))
        if runs and self._started is None:
            self._store.begin_session(*self._session)
            self._executor.prepare(self._work.templates())
            self._started = time.monotonic()
        return runs

    def _accept(self, result: RunResult) -> str:
        self._keep(result)
        return self._work.accept(result)

    def _keep(self, result: RunResult) -> None:
        if result.key in self._results:  # interrupted after it was stored
            return
        self._results.keep(result)
        self.trained += 1
        self.training_seconds += result.seconds
        self.failed += result.status is Status.FAILED
        if self._started is not None and self.trained % self._stride == 0:
            elapsed = time.monotonic() - self._started
            self._marks.append((self.trained, elapsed, self.training_seconds))
            if len(self._marks) == MOST_MARKS:
                self._marks, self._stride = self._marks[1::2], 2 * self._stride

    def _report(self, result: RunResult | None, label: str) -> None:
        work = self._work
        self._observer(
            Progress(
                done=work.done,
                planned=work.planned,
                trained=self.trained,
                failed=self.failed,
                leader=work.leader,
                result=result,
                label=label,
            )
        )
