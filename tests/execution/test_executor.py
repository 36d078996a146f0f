"""The loop of every executor: bounded, in any order, and nothing lost in between."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable

from optbench.execution import Executor
from optbench.records import RunResult, RunSpec
from tests.records.factories import make_result, make_run_spec

SPECS = [make_run_spec(seed=seed) for seed in range(5)]


class TwoAtATime(Executor):
    """Has room for two runs, and finishes the newest one at every second look."""

    def __init__(self) -> None:
        self.running: list[RunSpec] = []
        self._looks = 0

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Nothing to prepare."""

    def room(self) -> int:
        return 2 - len(self.running)

    def submit(self, spec: RunSpec) -> None:
        self.running.append(spec)
        assert len(self.running) <= 2

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        self._looks += 1
        if self._looks % 2 == 0:
            arrived.append(make_result(self.running.pop()))

    def close(self) -> None:
        """Nothing to close."""


def test_map_yields_every_result_and_respects_the_room() -> None:
    """Runs are drawn as there is room for them, and finish in any order."""
    results = list(TwoAtATime().map(iter(SPECS)))
    assert sorted(result.spec.seed for result in results) == list(range(5))
    assert [result.spec.seed for result in results] != list(range(5))
    assert list(TwoAtATime().map([])) == []


def test_an_idle_wait_is_reported() -> None:
    """Each look that finds nothing gives the caller a turn."""
    waiting = iter(SPECS)
    results = TwoAtATime().results(lambda room: itertools.islice(waiting, room))
    turns = [result is None for result in results]
    assert turns == [True, False] * 5


def test_runs_may_depend_on_earlier_results() -> None:
    """No run is ready for a while; the next one is asked for after every result."""
    queue = deque(SPECS[:1])
    later = deque(SPECS[1:])
    seeds = []
    for result in TwoAtATime().results(lambda room: [queue.popleft() for _ in list(queue)[:room]]):
        if result is not None:
            seeds.append(result.spec.seed)
            if later:
                queue.append(later.popleft())
    assert seeds == list(range(5))


def test_a_result_stays_in_sight_until_the_caller_has_dealt_with_it() -> None:
    """An interrupt while a result is handled finds it in `arrived`, and no earlier one."""
    arrived: deque[RunResult] = deque()
    waiting = iter(SPECS)
    executor = TwoAtATime()
    for result in executor.results(lambda room: itertools.islice(waiting, room), arrived):
        assert list(arrived) == ([] if result is None else [result])
