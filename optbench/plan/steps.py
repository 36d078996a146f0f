"""What is to be trained next: trials, perhaps a wider range, then fresh seeds.

Pure: it follows from the plan and the results so far, so an interrupted study goes on where it
was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from optbench.contracts import Value
from optbench.plan.cells import CellPlan, StudyPlan
from optbench.records import TUNING_SEED, Cell, RunResult, RunSpec, StudyProtocol, Trial

Edges = Mapping[str, str]
Results = Mapping[str, RunResult]
"""Results by key of the run."""


class Tuning(Protocol):
    """The decisions that planning leaves to the analysis, a floor above."""

    def points(self, cell: CellPlan) -> list[dict[str, Value]]:
        """The configurations to try; one alone means that nothing is tuned."""

    def select(self, cell: CellPlan, trials: Sequence[Trial]) -> Trial:
        """The best of the trials."""

    def edges(
        self, cell: CellPlan, trials: Sequence[Trial], best: Trial, widened: Sequence[Edges]
    ) -> Edges:
        """The hyperparameters of which the best trial lies at the edge of the range."""

    def widened_points(
        self, cell: CellPlan, edges: Edges, widened: Sequence[Edges]
    ) -> list[dict[str, Value]]:
        """More configurations, in the part by which the ranges are extended."""


@dataclass(frozen=True)
class Step:
    """Where a cell stands: the runs it waits for, and what is known so far.

    Attributes:
        missing: runs to train now; empty when the cell is complete.
        cell: trials, choice and evaluation as far as they are finished.
    """

    cell: Cell
    missing: list[RunSpec] = field(default_factory=list)


def advance(cell: CellPlan, protocol: StudyProtocol, results: Results, tuning: Tuning) -> Step:
    """What a cell has come to, and the runs it needs next.

    Args:
        cell: the cell.
        protocol: the study's.
        results: those so far, of this cell at least.
        tuning: points, selection and edges.
    """
    trials: list[Trial] = []
    widened: list[Edges] = []
    edges: Edges = {}
    batch = tuning.points(cell)
    chosen = batch[0] if len(batch) == 1 else None
    while chosen is None:
        finished, missing = _try(cell, batch, protocol.tuning_seeds, results)
        trials += finished
        if missing:
            return Step(Cell(cell.entrant, cell.workload, tuple(trials), None, {}, ()), missing)
        best = tuning.select(cell, trials)
        edges = tuning.edges(cell, trials, best, widened)
        batch = []
        if edges and len(widened) < protocol.widen:
            batch = tuning.widened_points(cell, edges, widened)
            widened.append(edges)
        if not batch:
            chosen = dict(best.hyper)
    wanted = [cell.run(chosen, seed) for seed in range(protocol.seeds)]
    keys = [spec.key for spec in wanted]
    done = tuple(results[key] for key in keys if key in results)
    missing = [spec for spec, key in zip(wanted, keys, strict=True) if key not in results]
    return Step(Cell(cell.entrant, cell.workload, tuple(trials), chosen, edges, done), missing)


def _try(
    cell: CellPlan, batch: Sequence[Mapping[str, Value]], seeds: int, results: Results
) -> tuple[list[Trial], list[RunSpec]]:
    """The finished trials of a batch, and the runs that the others still need."""
    finished, missing = [], []
    for hyper in batch:
        wanted = [cell.run(hyper, TUNING_SEED + seed) for seed in range(seeds)]
        keys = [spec.key for spec in wanted]
        lacking = [s for s, key in zip(wanted, keys, strict=True) if key not in results]
        missing += lacking
        if not lacking:
            finished.append(Trial(hyper, tuple(results[key] for key in keys)))
    return finished, missing


def next_runs(plan: StudyPlan, results: Results, tuning: Tuning) -> list[RunSpec]:
    """Every run that can be trained now, each once; empty when the study is complete."""
    found: dict[str, RunSpec] = {}
    for cell in plan.cells:
        for spec in advance(cell, plan.protocol, results, tuning).missing:
            found[spec.key] = spec
    return list(found.values())


def cells_of(plan: StudyPlan, results: Results, tuning: Tuning) -> list[Cell]:
    """What every cell has come to, for the analysis."""
    return [advance(cell, plan.protocol, results, tuning).cell for cell in plan.cells]


def planned_runs(plan: StudyPlan, cell: CellPlan, tuning: Tuning) -> int:
    """Runs of a cell when no range has to be widened."""
    points = len(tuning.points(cell))
    return plan.protocol.seeds + (points * plan.protocol.tuning_seeds if points > 1 else 0)
