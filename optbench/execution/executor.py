"""The interface between a study and whatever trains its runs."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from optbench.errors import ConfigError
from optbench.records import RunResult, RunSpec

Train = Callable[[RunSpec], RunResult]
"""Trains one run."""
NextRuns = Callable[[int], Iterable[RunSpec]]
"""Given the number of runs that there is room for, returns those to start now."""

MOST_SECONDS = 1e9
"""Longest time limit of a run, in seconds: the system cannot wait for longer."""
MOST_MEGABYTES = 2**30
"""Largest memory limit of a worker, in megabytes: the system cannot count further."""
WAIT_SECONDS = 0.25
"""Longest wait for a result before the caller gets a turn."""


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    Attributes:
        seconds: wall-clock time of a run, after which its worker is killed; None for no limit.
        memory_mb: Megabytes that a worker process may allocate for its runs, on platforms that
            can limit them (Linux); None for no limit.
    """

    seconds: float | None = None
    memory_mb: int | None = None

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            ConfigError: A limit that is not allowed.
        """
        if self.seconds is not None and not _is_between(self.seconds, 0, MOST_SECONDS):
            raise ConfigError(
                f"timeout={self.seconds} is not allowed; seconds above 0, up to {MOST_SECONDS:g}"
            )
        if self.memory_mb is not None and not _is_between(self.memory_mb, 0, MOST_MEGABYTES):
            raise ConfigError(
                f"memory={self.memory_mb} is not allowed; megabytes from 1 to {MOST_MEGABYTES:,}"
            )


def _is_between(value: object, low: float, high: float) -> bool:
    """Whether it is a number above `low` and at most `high`."""
    return isinstance(value, int | float) and low < value <= high


class Executor(ABC):
    """Trains runs: they go in by `submit` and come out by `collect`, in any order.

    It is a context manager; leaving it abandons the runs still in flight. A run never raises: a
    fault is a result with status ``"failed"``.

    Attributes:
        jobs: Number of parallel runs.
    """

    jobs: int = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @abstractmethod
    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Prepare for runs like these; called once, before the first `submit`."""

    @abstractmethod
    def room(self) -> int:
        """Return the number of runs that could be submitted now; runs in flight are bounded."""

    @abstractmethod
    def submit(self, spec: RunSpec) -> None:
        """Start a run, now or when a worker is free."""

    @abstractmethod
    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        """Take the results finished since the last call; wait for the first.

        Args:
            timeout: Longest wait, in seconds.
            arrived: Each result is appended as soon as it is taken, so that none is lost when an
                interrupt comes in between.
        """

    @abstractmethod
    def close(self) -> None:
        """Abandon the runs in flight, and end every worker."""

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
            next_runs: Called with the number of runs that there is room for; returns at most as
                many, and none while every other run depends on the results of those in flight.
            arrived: Holds each result until the caller has dealt with it, so that none is lost
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
            self.collect(WAIT_SECONDS, arrived)
            if not arrived:
                yield None
            while arrived:
                in_flight -= 1
                yield arrived[0]
                arrived.popleft()
