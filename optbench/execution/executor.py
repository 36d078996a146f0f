"""What a study asks of whatever trains its runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from optbench.records import RunResult, RunSpec

Train = Callable[[RunSpec], RunResult]


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

    def map(
        self, specs: Iterable[RunSpec], arrived: deque[RunResult] | None = None
    ) -> Iterator[RunResult]:
        """Results of all these runs, as they finish.

        Args:
            specs: the runs.
            arrived: holds what has finished until the caller is done with it, so that nothing is
                lost when an interrupt comes in between.
        """
        waiting = iter(specs)
        flying = 0
        exhausted = False
        arrived = deque() if arrived is None else arrived
        while flying or not exhausted:
            while not exhausted and self.room() > 0:
                spec = next(waiting, None)
                if spec is None:
                    exhausted = True
                else:
                    self.submit(spec)
                    flying += 1
            if flying:
                arrived += self.collect(0.25)
            while arrived:
                flying -= 1
                yield arrived[0]
                arrived.popleft()
