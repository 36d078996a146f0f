"""The cells of a running study, with the runs that they wait for and their progress."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable

from optbench.plan import (
    CellPlan,
    CellRecord,
    Step,
    StudyPlan,
    StudyRecord,
    advance,
    planned_runs,
    record_cell,
)
from optbench.records import Cell, RunResult, RunSpec, Status
from optbench.study.driver import KnownResults


def finished_runs(cells: Iterable[CellRecord]) -> int:
    """Return the number of runs in cells; a run of several cells counts in each."""
    return sum(len(list(cell.keys())) for cell in cells)


class OpenCells:
    """Opens the cells of a plan one after another, while the executor has room for their runs.

    A run that several cells need is trained once. The results of a cell are released from memory
    as soon as it is complete.

    Args:
        plan: The study.
        results: The results so far; new ones are added to them before `accept`.

    Attributes:
        done: Number of runs finished, including those that were in the store.
        planned: Total number of runs known so far.
    """

    def __init__(self, plan: StudyPlan, results: KnownResults) -> None:
        self.done = 0
        self._plan = plan
        self._results = results
        self._unopened = deque(range(len(plan.cells)))
        self._queue: deque[RunSpec] = deque()
        self._cells_of: dict[str, list[int]] = {}  # key of a run in flight -> cells that need it
        self._lacking: dict[int, int] = {}  # open cell -> runs that it waits for
        self._done_of: dict[int, int] = {}  # cell -> its runs that are finished
        self._planned_of = [planned_runs(cell, plan.protocol) for cell in plan.cells]
        self._complete: dict[int, CellRecord] = {}
        self._best: dict[str, tuple[float, str]] = {}  # workload -> lowest loss and its entrant
        self.planned = sum(self._planned_of)

    @property
    def leader(self) -> str:
        """Entrant with the lowest validation loss on most workloads; empty at first."""
        wins = [label for _, label in self._best.values()]
        return statistics.mode(sorted(wins)) if wins else ""

    def templates(self) -> list[RunSpec]:
        """Return one run of each cell."""
        return [cell.template for cell in self._plan.cells]

    def next_runs(self, room: int) -> list[RunSpec]:
        """Return up to `room` runs, from as few open cells as possible."""
        while self._unopened and len(self._queue) < room:
            self._continue(self._unopened.popleft())
        return [self._queue.popleft() for _ in range(min(room, len(self._queue)))]

    def accept(self, result: RunResult) -> str:
        """Continue the cells that waited for a result, and return the label of the first."""
        cells = self._cells_of.pop(result.key, [])
        for index in cells:
            self.done += 1
            self._done_of[index] += 1
            self._lacking[index] -= 1
            if not self._lacking[index]:
                self._continue(index)
        return self._plan.cells[cells[0]].entrant.label if cells else ""

    @property
    def in_flight(self) -> int:
        """Number of runs that were handed out and not yet accepted."""
        return len(self._cells_of) - len(self._queue)

    @property
    def is_complete(self) -> bool:
        """Whether every cell is complete, and all of its results were accepted."""
        return len(self._complete) == len(self._plan.cells)

    def complete_cells(self) -> list[CellRecord]:
        """Return the complete cells, in the order of the plan."""
        return [self._complete[index] for index in sorted(self._complete)]

    def complete_replicates(self) -> set[int]:
        """Return the numbers of the first replicates of which every cell is complete."""
        unfinished = {
            cell.replicate
            for index, cell in enumerate(self._plan.cells)
            if index not in self._complete
        }
        first_unfinished = min(unfinished, default=None)
        return {
            cell.replicate
            for cell in self._plan.cells
            if first_unfinished is None or cell.replicate < first_unfinished
        }

    def record(self) -> StudyRecord:
        """Return the record of the study with all results, also those that were not accepted."""
        plan = self._plan
        cells = [
            self._complete[index] if index in self._complete else self._unfinished(cell)
            for index, cell in enumerate(plan.cells)
        ]
        is_complete = not any(cell.missing for cell in cells)
        return StudyRecord(
            suite=plan.suite,
            protocol=plan.protocol,
            cells=tuple(cells),
            complete=is_complete,
            progress=None if is_complete else (finished_runs(cells), self.planned),
            left_out=plan.left_out,
            drawn=plan.drawn,
            data_cautions=plan.data_cautions,
            base_rates=dict(plan.base_rates),
            criteria=plan.criteria,
            shards=plan.shards,
        )

    def _unfinished(self, cell: CellPlan) -> CellRecord:
        step = advance(cell, self._plan.protocol, self._results)
        return record_cell(step.cell, len(step.missing) + step.later)

    def _continue(self, index: int) -> None:
        """Queue the runs that a cell needs next, or finish it if there are none."""
        step = advance(self._plan.cells[index], self._plan.protocol, self._results)
        self._count(index, step)
        if not step.missing:
            self._finish(index, step.cell)
            return
        self._lacking[index] = len(step.missing)
        for spec in step.missing:
            key = spec.key
            if key in self._cells_of:
                self._cells_of[key].append(index)
            else:
                self._cells_of[key] = [index]
                self._queue.append(spec)

    def _count(self, index: int, step: Step) -> None:
        """Update the numbers of finished and planned runs."""
        done = step.done
        ahead = len(step.missing) + step.later
        self.planned += max(done + ahead - self._planned_of[index], 0)
        self._planned_of[index] = max(done + ahead, self._planned_of[index])
        self.done += done - self._done_of.get(index, 0)
        self._done_of[index] = done

    def _finish(self, index: int, cell: Cell) -> None:
        """Record a complete cell, update the leader, and release its results."""
        self._lacking.pop(index, None)
        self._complete[index] = record_cell(cell)
        losses = [r.final("val_loss") for r in cell.evaluation if r.status is Status.OK]
        if 2 * len(losses) > len(cell.evaluation):
            entry = (statistics.median(losses), cell.entrant.label)
            workload = cell.workload.label
            self._best[workload] = min(entry, self._best.get(workload, entry))
        for results in (*(trial.runs for trial in cell.trials), cell.evaluation):
            self._results.release(results)
