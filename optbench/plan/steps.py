"""The next runs of a cell: trials, perhaps a wider search range, then the evaluation seeds.

Everything here is a pure function of the plan and the results so far, so an interrupted study
continues where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optbench.contracts import Value
from optbench.plan.cells import CellPlan
from optbench.records import TUNING_SEED, Cell, RunResult, RunSpec, StudyProtocol, Trial
from optbench.tuning.search_points import widened_points
from optbench.tuning.space import Edges
from optbench.tuning.trials import find_edges, select_trial

Results = Mapping[str, RunResult]
"""Results by key of the run."""


@dataclass(frozen=True)
class Step:
    """The state of a cell, and the runs that it needs next.

    Attributes:
        cell: Trials, choice and evaluation as far as they are finished.
        missing: Runs to train now; empty when the cell is complete.
    """

    cell: Cell
    missing: list[RunSpec] = field(default_factory=list)


def advance(cell: CellPlan, protocol: StudyProtocol, results: Results) -> Step:
    """Return the state of a cell, and the runs that it needs next.

    Args:
        cell: The cell.
        protocol: The protocol of the study.
        results: The results so far, at least those of this cell.
    """
    trials: list[Trial] = []
    widened: list[Edges] = []
    edges: Edges = {}
    batch: Sequence[Mapping[str, Value]] = cell.points
    chosen = batch[0] if len(batch) == 1 else None
    while chosen is None:
        finished, missing = _try(cell, batch, protocol.tuning_seeds, results)
        trials += finished
        if missing:
            return Step(Cell(cell.entrant, cell.workload, tuple(trials), None, {}, ()), missing)
        best = select_trial(trials, protocol.select, cell.target)
        edges = find_edges(cell.space, trials, best, widened)
        batch = []
        if edges and len(widened) < protocol.widen:
            batch = widened_points(cell.space, protocol.budget, edges, widened)
            widened.append(edges)
        if not batch:
            chosen = dict(best.hyper)
    specs = [cell.run(chosen, seed) for seed in range(protocol.seeds)]
    done, missing = _split(specs, results)
    state = Cell(cell.entrant, cell.workload, tuple(trials), chosen, edges, tuple(done))
    return Step(state, missing)


def planned_runs(cell: CellPlan, protocol: StudyProtocol) -> int:
    """Return the number of runs of a cell if no search range has to be widened."""
    trials = len(cell.points) if len(cell.points) > 1 else 0
    return protocol.seeds + trials * protocol.tuning_seeds


def _try(
    cell: CellPlan, batch: Sequence[Mapping[str, Value]], seeds: int, results: Results
) -> tuple[list[Trial], list[RunSpec]]:
    """Return the finished trials of a batch, and the runs that its other trials still need."""
    finished, missing = [], []
    for hyper in batch:
        specs = [cell.run(hyper, TUNING_SEED + seed) for seed in range(seeds)]
        done, lacking = _split(specs, results)
        missing += lacking
        if not lacking:
            finished.append(Trial(hyper, tuple(done)))
    return finished, missing


def _split(specs: Sequence[RunSpec], results: Results) -> tuple[list[RunResult], list[RunSpec]]:
    """Return the results of the runs that have one, and the other runs."""
    keys = [spec.key for spec in specs]
    missing = [spec for spec, key in zip(specs, keys, strict=True) if key not in results]
    return [results[key] for key in keys if key in results], missing
