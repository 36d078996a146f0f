"""What a study came to, with its runs by key: as the store keeps it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from optbench.contracts import Value
from optbench.plan.steps import Results
from optbench.records import Cell, Entrant, Protocol, Trial, Workload


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
    protocol: Protocol
    cells: tuple[CellRecord, ...]
    complete: bool = True
    left_out: tuple[str, ...] = ()

    def keys(self) -> Iterator[str]:
        """Keys of all its runs; some may come twice."""
        for cell in self.cells:
            yield from cell.evaluation
            for trial in cell.trials:
                yield from trial.runs


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
    """The cell again; runs that `results` lacks are left out."""
    trials = []
    for trial in record.trials:
        runs = tuple(results[key] for key in trial.runs if key in results)
        if runs:  # their own dict of values is the same, and need not be held twice
            trials.append(Trial(runs[0].spec.hyper, runs))
    return Cell(
        entrant=record.entrant,
        workload=record.workload,
        trials=tuple(trials),
        chosen=record.chosen,
        edges=record.edges,
        evaluation=tuple(results[key] for key in record.evaluation if key in results),
    )
