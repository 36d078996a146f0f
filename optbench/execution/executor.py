"""What a study asks of whatever trains its runs."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from optbench.records import RunResult, RunSpec

Train = Callable[[RunSpec], RunResult]
NextRuns = Callable[[int], Iterable[RunSpec]]

WAIT_SECONDS = 0.25
"""Longest wait for a result before the caller is given the opportunity to do something else."""


@dataclass(frozen=True)
class Limits:
    """What one run may take.

    Attributes:
        seconds: wall-clock time of a run, after which its worker is killed; None for no limit.
        memory_mb: what a worker process may allocate for its runs, where the platform can tell
            (Linux).
    """

    seconds: float | None = None
    memory_mb: int | None = None


class Executor(ABC):
    """Runs go in by `submit` and come out by `collect`, in any order.

    A context manager; leaving it gives up what is still in flight. A run never raises: a fault is
    a result with status ``"failed"``.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @abstractmethod
    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Get ready for runs like these; called once, before the first `submit`."""

    @abstractmethod
    def room(self) -> int:
        """How many more runs it would take now: the window in flight is bounded."""

    @abstractmethod
    def submit(self, spec: RunSpec) -> None:
        """Start a run, now or when a worker is free."""

    @abstractmethod
    def collect(self, timeout: float) -> list[RunResult]:
        """Results finished since the last call; waits up to `timeout` seconds for the first."""

    @abstractmethod
    def close(self) -> None:
        """Give up what is in flight, and end every worker."""

    def map(self, specs: Iterable[RunSpec]) -> Iterator[RunResult]:
        """Yield the results of these runs as they finish, in any order."""
        waiting = iter(specs)
        for result in self.results(lambda room: itertools.islice(waiting, room)):
            if result is not None:
                yield result

    def results(
        self, next_runs: NextRuns, arrived: deque[RunResult] | None = None
    ) -> Iterator[RunResult | None]:
        """Yield results as they finish, and None whenever none has finished for a while.

        Args:
            next_runs: called with the number of runs that there is room for; returns at most as
                many, and none while every other run depends on the results of those in flight.
            arrived: holds each result until the caller has dealt with it, so that none is lost
                when an interrupt comes in between.
        """
        arrived = deque() if arrived is None else arrived
        in_flight = 0
        while True:
            for spec in next_runs(max(self.room(), 0)):
                self.submit(spec)
                in_flight += 1
            if not in_flight:
                return
            arrived += self.collect(WAIT_SECONDS)
            if not arrived:
                yield None
            while arrived:
                in_flight -= 1
                yield arrived[0]
                arrived.popleft()
