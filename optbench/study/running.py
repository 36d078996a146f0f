"""Drives a study: asks the plan what is next, trains it, keeps it, until nothing is left."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from optbench.execution import Executor
from optbench.plan import (
    CellPlan,
    CellRecord,
    StudyPlan,
    StudyRecord,
    advance,
    planned_runs,
    record_cell,
)
from optbench.records import Cell, RunResult, RunSpec, Status
from optbench.store import Store
from optbench.study.saved import Study, make_study

WAIT = 0.25
"""Seconds between two looks at progress when nothing finishes."""


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes:
        done: runs finished, those found in the store included.
        planned: runs in all, as far as is known (a widened range adds some).
        trained: runs trained in this execution.
        failed: those of them that failed for a cause other than divergence.
        leader: the entrant that is best on most workloads so far; empty at first.
        result: the run just finished; None for a sign of life.
        label: the entrant that it was trained for.
    """

    done: int
    planned: int
    trained: int
    failed: int
    leader: str
    result: RunResult | None = None
    label: str = ""


Observer = Callable[[Progress], None]
"""Called with the progress after every run, and now and then."""


def ignore_progress(progress: Progress) -> None:
    """Observe nothing."""


class _Known(Mapping[str, RunResult]):
    """Results in memory, and behind them those in the store."""

    def __init__(self, store: Store, retry_failed: bool) -> None:
        self._store = store
        self._stored = store.keys(failed=not retry_failed)
        self._memory: dict[str, RunResult] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._memory or key in self._stored

    def __getitem__(self, key: str) -> RunResult:
        if key not in self._memory:
            if key not in self._stored:
                raise KeyError(key)
            self._memory |= {result.key: result for result in self._store.results([key])}
        return self._memory[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._memory.keys() | self._stored)

    def __len__(self) -> int:
        return len(self._memory.keys() | self._stored)

    def keep(self, result: RunResult) -> None:
        """Take in a fresh result."""
        self._store.put(result)
        self._memory[result.key] = result

    def release(self, cell: Cell) -> None:
        """Drop a cell's results from memory; the store has them."""
        for results in (*(trial.results for trial in cell.trials), cell.evaluation):
            for result in results:
                self._memory.pop(result.key, None)
                self._stored.add(result.key)


class _Driver:
    """One execution of a plan."""

    def __init__(
        self,
        plan: StudyPlan,
        store: Store,
        executor: Executor,
        observer: Observer,
        begin: Callable[[], None],
        retry_failed: bool,
    ) -> None:
        self.plan = plan
        self.store = store
        self.executor = executor
        self.observer = observer
        self.begin = begin
        self.begun = False
        self.known = _Known(store, retry_failed)
        self.queue: deque[RunSpec] = deque()
        self.arrived: deque[RunResult] = deque()  # finished; Ctrl-C may come before they are kept
        self.waiting: dict[str, list[int]] = {}
        self.lacking: dict[int, int] = {}
        self.ledger: dict[int, CellRecord] = {}
        self.done = 0
        self.cell_done: dict[int, int] = {}
        self.planned = [planned_runs(cell, plan.protocol) for cell in plan.cells]
        self.total = sum(self.planned)
        self.trained = 0
        self.failed = 0
        self.best: dict[str, tuple[float, str]] = {}

    def run(self) -> None:
        """Open cells as there is room for their runs, until all are complete."""
        unopened = iter(range(len(self.plan.cells)))
        more = True
        while more or self.lacking:
            while more and self.executor.room() > len(self.queue):
                index = next(unopened, None)
                more = index is not None
                if index is not None:
                    self.go_on(index)
            if self.queue and not self.begun:
                self.begun = True
                self.begin()
            while self.queue and self.executor.room() > 0:
                self.executor.submit(self.queue.popleft())
            if self.lacking:
                self.collect(WAIT)

    def go_on(self, index: int) -> None:
        """Ask the plan what a cell needs next, and queue it."""
        cell = self.plan.cells[index]
        step = advance(cell, self.plan.protocol, self.known)
        self.count(index, step.cell, len(step.missing))
        if not step.missing:
            self.finish(index, step.cell)
            return
        self.lacking[index] = len(step.missing)
        for spec in step.missing:
            key = spec.key
            if key in self.waiting:
                self.waiting[key].append(index)
            else:
                self.waiting[key] = [index]
                self.queue.append(spec)

    def count(self, index: int, cell: Cell, missing: int) -> None:
        """Bring the numbers of done and planned runs up to date."""
        done = sum(len(trial.results) for trial in cell.trials) + len(cell.evaluation)
        ahead = missing + (self.plan.protocol.seeds if cell.chosen is None else 0)
        self.total += max(done + ahead - self.planned[index], 0)
        self.planned[index] = max(done + ahead, self.planned[index])
        self.done += done - self.cell_done.get(index, 0)
        self.cell_done[index] = done

    def finish(self, index: int, cell: Cell) -> None:
        """A cell is complete: note who leads, and let go of its results."""
        self.lacking.pop(index, None)
        self.ledger[index] = record_cell(cell)
        losses = [r.final("val_loss") for r in cell.evaluation if r.status is Status.OK]
        if 2 * len(losses) > len(cell.evaluation):
            entry = (statistics.median(losses), cell.entrant.label)
            where = cell.workload.label
            self.best[where] = min(entry, self.best.get(where, entry))
        self.known.release(cell)

    def leader(self) -> str:
        """The entrant with the lowest validation loss on most workloads."""
        wins = [label for _, label in self.best.values()]
        return statistics.mode(sorted(wins)) if wins else ""

    def collect(self, timeout: float) -> None:
        """Take in what has finished."""
        self.arrived += self.executor.collect(timeout)
        self.store.tick()
        if not self.arrived:
            self.report(None)
        while self.arrived:
            self.take(self.arrived[0])
            self.arrived.popleft()

    def take(self, result: RunResult) -> None:
        """Keep a result, and go on with the cells that waited for it."""
        self.known.keep(result)
        self.trained += 1
        self.failed += result.status is Status.FAILED
        waiting = self.waiting.pop(result.key, [])
        for index in waiting:
            self.done += 1
            self.cell_done[index] += 1
            self.lacking[index] -= 1
            if not self.lacking[index]:
                self.go_on(index)
        self.report(result, self.plan.cells[waiting[0]].entrant.label if waiting else "")

    def report(self, result: RunResult | None, label: str = "") -> None:
        """Report the progress."""
        now = (self.done, self.total, self.trained, self.failed, self.leader())
        self.observer(Progress(*now, result, label))

    def record(self) -> StudyRecord:
        """What the study has come to, complete or not."""
        complete = len(self.ledger) == len(self.plan.cells)
        cells = [
            self.ledger[index] if index in self.ledger else self.unfinished(cell)
            for index, cell in enumerate(self.plan.cells)
        ]
        return StudyRecord(
            suite=self.plan.suite,
            protocol=self.plan.protocol,
            cells=tuple(cells),
            complete=complete,
            left_out=self.plan.left_out,
        )

    def unfinished(self, cell: CellPlan) -> CellRecord:
        """A cell as far as it is."""
        return record_cell(advance(cell, self.plan.protocol, self.known).cell)


def run_study(
    plan: StudyPlan,
    store: Store,
    executor: Executor,
    *,
    observer: Observer = ignore_progress,
    command: str = "",
    environment: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
) -> Study:
    """Train all that the store lacks, and return the study.

    Ctrl-C ends it early: everything finished is kept, and the study says ``complete=False``.

    Args:
        plan: what to train.
        store: where results are kept, and looked up first.
        executor: trains the runs; closed when interrupted.
        observer: called with the progress after every run, and now and then.
        command: kept in the store with the runs that are trained.
        environment: likewise.
        retry_failed: train again what failed before.

    Raises:
        StoreError: the store cannot be written; what was committed is safe.
    """

    def begin() -> None:
        store.begin_session(command, environment or {})
        executor.prepare([cell.template for cell in plan.cells])

    driver = _Driver(plan, store, executor, observer, begin, retry_failed)
    try:
        driver.run()
    except KeyboardInterrupt:
        for result in (*driver.arrived, *executor.collect(0)):
            driver.known.keep(result)
        executor.close()
    store.flush()
    record = driver.record()
    data = msgspec.json.encode(record)
    unchanged = driver.trained == 0 and store.last_study() == data
    store.save_study(data)
    reused = len(set(record.keys())) - driver.trained
    return make_study(
        record, store, trained=driver.trained, reused=max(reused, 0), unchanged=unchanged
    )
