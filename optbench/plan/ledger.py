"""The record of a study as the store keeps it, with its runs by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from optbench.contracts import Value
from optbench.plan.steps import Results
from optbench.records import Cell, Entrant, RunResult, StudyProtocol, Trial, Workload


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A trial, with its results by key."""

    hyper: dict[str, Value]
    runs: tuple[str, ...]


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cell, with its results by key."""

    entrant: Entrant
    workload: Workload
    trials: tuple[TrialRecord, ...]
    chosen: dict[str, Value] | None
    edges: dict[str, str]
    evaluation: tuple[str, ...]


class StudyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A study as the store keeps it; it can be reported again without any plugin.

    Attributes:
        suite: Name of the suite.
        protocol: How configurations were chosen and evaluated.
        cells: Every entrant on every workload.
        complete: False if the study was interrupted.
        left_out: One line for each entrant and regime that do not go together.
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[CellRecord, ...]
    complete: bool = True
    left_out: tuple[str, ...] = ()

    def keys(self) -> Iterator[str]:
        """Yield the keys of all runs; some may come twice."""
        yield from self.evaluation_keys()
        for cell in self.cells:
            for trial in cell.trials:
                yield from trial.runs

    def evaluation_keys(self) -> Iterator[str]:
        """Yield the keys of the evaluation runs; some may come twice."""
        for cell in self.cells:
            yield from cell.evaluation


def record_cell(cell: Cell) -> CellRecord:
    """Return the record of a cell, which has the keys of its results."""
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
    """Return the cell of a record; runs that are missing in `results` are left out.

    The specs of the results are not read, since they may still be in the store.
    """
    trials = [(trial.hyper, _available(trial.runs, results)) for trial in record.trials]
    return Cell(
        entrant=record.entrant,
        workload=record.workload,
        trials=tuple([Trial(hyper, runs) for hyper, runs in trials if runs]),
        chosen=record.chosen,
        edges=record.edges,
        evaluation=_available(record.evaluation, results),
    )


def _available(keys: Iterable[str], results: Results) -> tuple[RunResult, ...]:
    return tuple([result for result in map(results.get, keys) if result is not None])
