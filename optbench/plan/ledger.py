"""What a study came to, with its runs by key: as the store keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from optbench.contracts import Value
from optbench.plan.steps import Results
from optbench.records import Cell, Entrant, RunResult, StudyProtocol, Trial, Workload


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A trial, its results by key."""

    hyper: dict[str, Value]
    runs: tuple[str, ...]


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cell, its results by key."""

    entrant: Entrant
    workload: Workload
    trials: tuple[TrialRecord, ...]
    chosen: dict[str, Value] | None
    edges: dict[str, str]
    evaluation: tuple[str, ...]


class StudyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A study as the store keeps it: it is reported again without any plugin.

    Attributes:
        complete: False when it was interrupted.
        left_out: as in the plan.
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[CellRecord, ...]
    complete: bool = True
    left_out: tuple[str, ...] = ()

    def keys(self) -> Iterator[str]:
        """Keys of all its runs; some may come twice."""
        yield from self.judged()
        for cell in self.cells:
            for trial in cell.trials:
                yield from trial.runs

    def judged(self) -> Iterator[str]:
        """Keys of the runs that configurations are judged on."""
        for cell in self.cells:
            yield from cell.evaluation


def record_cell(cell: Cell) -> CellRecord:
    """A cell without its results."""
    return CellRecord(
        entrant=cell.entrant,
        workload=cell.workload,
        trials=tuple(
            TrialRecord(hyper=dict(trial.hyper), runs=tuple(r.key for r in trial.results))
            for trial in cell.trials
        ),
        chosen=None if cell.chosen is None else dict(cell.chosen),
        edges=dict(cell.edges),
        evaluation=tuple(result.key for result in cell.evaluation),
    )


def restore_cell(record: CellRecord, results: Results) -> Cell:
    """The cell again; runs that `results` lacks are left out. It asks for no spec of theirs."""
    trials = [(trial.hyper, _known(trial.runs, results)) for trial in record.trials]
    return Cell(
        entrant=record.entrant,
        workload=record.workload,
        trials=tuple([Trial(hyper, runs) for hyper, runs in trials if runs]),
        chosen=record.chosen,
        edges=record.edges,
        evaluation=_known(record.evaluation, results),
    )


def _known(keys: Iterable[str], results: Results) -> tuple[RunResult, ...]:
    return tuple([found for found in map(results.get, keys) if found is not None])
