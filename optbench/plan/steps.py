"""The next runs of a cell: trials, perhaps a wider range, a retest, then the evaluation seeds.

Everything here is a pure function of the plan and the results so far, so an interrupted study
continues where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from optbench.contracts import Value
from optbench.plan.cells import CellPlan
from optbench.records import Cell, RunResult, RunSpec, StudyProtocol, Trial
from optbench.tuning.search_points import widened_points
from optbench.tuning.space import Edges
from optbench.tuning.trials import TrialRanking, find_edges

Results = Mapping[str, RunResult]
"""Results by key of the run."""


@dataclass(frozen=True)
class Step:
    """The state of a cell, and the runs that it needs next.

    Attributes:
        cell: Trials, choice and evaluation as far as they are finished.
        missing: Runs to train now; empty when the cell is complete.
        later: Number of runs that follow these if no search range has to be widened.
    """

    cell: Cell
    missing: list[RunSpec] = field(default_factory=list)
    later: int = 0

    @property
    def done(self) -> int:
        """Number of finished runs of the cell."""
        return sum(len(trial.runs) for trial in self.cell.trials) + len(self.cell.evaluation)


def advance(cell: CellPlan, protocol: StudyProtocol, results: Results) -> Step:
    """Return the state of a cell, and the runs that it needs next.

    Args:
        cell: The cell.
        protocol: The protocol of the study.
        results: The results so far, at least those of this cell.
    """
    state = Cell(cell.entrant, cell.workload, (), None, {}, (), cell.replicate)
    if len(cell.points) == 1:
        return _evaluate(replace(state, chosen=cell.points[0]), cell, protocol, results)
    trials: list[Trial] = []
    widened: list[Edges] = []
    batch: Sequence[Mapping[str, Value]] = cell.points
    while batch:
        finished, missing = _try(cell, batch, protocol.tuning_seeds, results, first=not trials)
        trials += finished
        if missing:
            retest = protocol.retest_seeds * min(protocol.retest_trials, len(cell.points))
            return Step(replace(state, trials=tuple(trials)), missing, retest + protocol.seeds)
        ranking = TrialRanking(trials, protocol.select, cell.target)
        order = ranking.best_first()
        edges = find_edges(cell.space, ranking, trials, order[0], widened)
        batch = []
        if edges and len(widened) < protocol.widen:
            batch = widened_points(cell.space, protocol.budget, edges, widened, cell.stream)
            widened.append(edges)
    trials, candidates, missing = _retest(cell, protocol, trials, order, results)
    if missing:
        return Step(replace(state, trials=tuple(trials)), missing, protocol.seeds)
    ranking = TrialRanking(trials, protocol.select, cell.target)
    best = ranking.best_first(candidates)[0]
    edges = find_edges(cell.space, ranking, trials, best, widened)
    chosen = dict(best.hyper)
    state = replace(state, trials=tuple(trials), chosen=chosen, edges=edges)
    return _evaluate(state, cell, protocol, results)


def planned_runs(cell: CellPlan, protocol: StudyProtocol) -> int:
    """Return the number of runs of a cell if no search range has to be widened."""
    trials = len(cell.points) if len(cell.points) > 1 else 0
    retest = min(protocol.retest_trials, trials) * protocol.retest_seeds
    return trials * protocol.tuning_seeds + retest + protocol.seeds


def _evaluate(state: Cell, cell: CellPlan, protocol: StudyProtocol, results: Results) -> Step:
    """Return a cell with the evaluation of its chosen configuration, as far as it is finished."""
    assert state.chosen is not None
    done, missing = _split(cell.evaluation_runs(state.chosen, protocol.seeds), results)
    return Step(replace(state, evaluation=tuple(done)), missing)


def _try(
    cell: CellPlan,
    batch: Sequence[Mapping[str, Value]],
    seeds: int,
    results: Results,
    *,
    first: bool,
) -> tuple[list[Trial], list[RunSpec]]:
    """Return the finished trials of a batch, and the runs that its other trials still need.

    Args:
        cell: The cell.
        batch: The configurations.
        seeds: Number of tuning seeds.
        results: The results so far.
        first: Whether it is the first batch, which begins with the default configuration.
    """
    finished, missing = [], []
    for index, hyper in enumerate(batch):
        done, lacking = _split(cell.tuning_runs(hyper, 0, seeds), results)
        missing += lacking
        if not lacking:
            is_default = first and index == 0
            finished.append(Trial(hyper, tuple(done), (), is_default, is_widened=not first))
    return finished, missing


def _retest(
    cell: CellPlan,
    protocol: StudyProtocol,
    trials: Sequence[Trial],
    order: Sequence[Trial],
    results: Results,
) -> tuple[list[Trial], list[Trial], list[RunSpec]]:
    """Train the best trials on further tuning seeds.

    Args:
        cell: The cell.
        protocol: The protocol of the study.
        trials: All trials.
        order: The same, the best one first.
        results: The results so far.

    Returns:
        All trials, those among which one is chosen, and the runs that they still need.
    """
    best, missing = list(order[: protocol.retest_trials or 1]), []
    retested: dict[int, Trial] = {}
    for trial in best if protocol.retest_trials else ():
        specs = cell.tuning_runs(trial.hyper, protocol.tuning_seeds, protocol.retest_seeds)
        done, lacking = _split(specs, results)
        missing += lacking
        retested[id(trial)] = replace(trial, retest=tuple(done))
    new = [retested.get(id(trial), trial) for trial in trials]
    return new, [retested.get(id(trial), trial) for trial in best], missing


def _split(specs: Sequence[RunSpec], results: Results) -> tuple[list[RunResult], list[RunSpec]]:
    """Return the results of the runs that have one, and the other runs."""
    keys = [spec.key for spec in specs]
    missing = [spec for spec, key in zip(specs, keys, strict=True) if key not in results]
    return [results[key] for key in keys if key in results], missing
