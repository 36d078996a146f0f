"""The next runs of a cell: trials, a retest of the best ones, then the evaluation seeds.

The trials are the search points, those of a widened range where the best one lies at its edge, and
a few beside the best one. The best of all are trained on further tuning seeds, and the better half
of these on twice as many more; then one of them is chosen.

Everything here is a pure function of the plan and the results so far, so an interrupted study
continues where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from optbench.contracts import Value
from optbench.plan.cells import CellPlan
from optbench.records import (
    MAX_RETEST_SEEDS,
    Cell,
    RunResult,
    RunSpec,
    StudyProtocol,
    Trial,
)
from optbench.tuning.search_points import refined_points, widened_points
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
    if not cell.is_tuned:
        return _evaluate(replace(state, chosen=cell.points[0]), cell, protocol, results)
    search = _search(cell, protocol, results)
    if search.missing:
        return Step(replace(state, trials=tuple(search.trials)), search.missing, search.later)
    retest = _retest(cell, protocol, search.trials, results)
    state = replace(state, trials=tuple(retest.trials))
    if retest.missing:
        return Step(state, retest.missing, retest.later)
    ranking = TrialRanking(retest.trials, protocol.select, cell.target)
    best = ranking.best_first(retest.candidates)[0]
    edges = find_edges(cell.space, ranking, retest.trials, best, search.widened)
    return _evaluate(replace(state, chosen=dict(best.hyper), edges=edges), cell, protocol, results)


def planned_runs(cell: CellPlan, protocol: StudyProtocol) -> int:
    """Return the number of runs of a cell if no search range has to be widened."""
    if not cell.is_tuned:
        return protocol.seeds
    trials = cell.budget + _refine_trials(cell, protocol)
    return trials * protocol.tuning_seeds + _retest_runs(protocol, trials) + protocol.seeds


def _refine_trials(cell: CellPlan, protocol: StudyProtocol) -> int:
    """Return the number of trials beside the best one."""
    return protocol.refine_trials if cell.space.dimensions() else 0


def _retest_rounds(protocol: StudyProtocol, trials: int) -> list[tuple[int, int]]:
    """Return the number of trials and the number of further seeds in each round of a retest.

    Args:
        protocol: The protocol of the study.
        trials: Number of trials before the retest.
    """
    count, seeds = min(protocol.retest_trials, trials), protocol.retest_seeds
    rounds = [(count, seeds)] if count else []
    more = min(2 * seeds, MAX_RETEST_SEEDS - seeds)
    return [*rounds, (count // 2, more)] if count >= 4 and more else rounds


def _retest_runs(protocol: StudyProtocol, trials: int) -> int:
    return sum(count * seeds for count, seeds in _retest_rounds(protocol, trials))


def _evaluate(state: Cell, cell: CellPlan, protocol: StudyProtocol, results: Results) -> Step:
    """Return a cell with the evaluation of its chosen configuration, as far as it is finished."""
    assert state.chosen is not None
    done, missing = _split(cell.evaluation_runs(state.chosen, protocol.seeds), results)
    return Step(replace(state, evaluation=tuple(done)), missing)


@dataclass(frozen=True)
class _Tuning:
    """The tuning of a cell, as far as it is finished.

    Attributes:
        trials: The trials.
        missing: Runs to train now.
        later: Number of runs of the cell that follow these if no search range has to be widened.
        widened: The edges at which search ranges were extended.
        candidates: Trials of which one is chosen.
    """

    trials: list[Trial]
    missing: list[RunSpec]
    later: int = 0
    widened: Sequence[Edges] = ()
    candidates: Sequence[Trial] = ()


def _search(cell: CellPlan, protocol: StudyProtocol, results: Results) -> _Tuning:
    """Return the trials before the retest: search points, a widened range, points beside the best.

    Args:
        cell: The cell.
        protocol: The protocol of the study.
        results: The results so far.
    """
    refined = _refine_trials(cell, protocol)
    after = _retest_runs(protocol, cell.budget + refined) + protocol.seeds
    trials: list[Trial] = []
    widened: list[Edges] = []
    batch: Sequence[Mapping[str, Value]] = cell.points
    while batch:
        finished, missing = _try(cell, batch, protocol, results, is_widened=bool(trials))
        trials += finished
        if missing:
            return _Tuning(trials, missing, refined * protocol.tuning_seeds + after)
        ranking = TrialRanking(trials, protocol.select, cell.target)
        best = ranking.best_first()[0]
        edges = find_edges(cell.space, ranking, trials, best, widened)
        batch = []
        if edges and len(widened) < protocol.widen:
            batch = widened_points(cell.space, protocol.budget, edges, widened, cell.stream)
            widened.append(edges)
    batch = refined_points(cell.space, protocol.budget, refined, best.hyper, cell.stream)
    finished, missing = _try(cell, batch, protocol, results, is_refined=True)
    return _Tuning(trials + finished, missing, after, widened)


def _try(
    cell: CellPlan,
    batch: Sequence[Mapping[str, Value]],
    protocol: StudyProtocol,
    results: Results,
    *,
    is_widened: bool = False,
    is_refined: bool = False,
) -> tuple[list[Trial], list[RunSpec]]:
    """Return the finished trials of a batch, and the runs that its other trials still need."""
    finished, missing = [], []
    for hyper in batch:
        done, lacking = _split(cell.tuning_runs(hyper, 0, protocol.tuning_seeds), results)
        missing += lacking
        if not lacking:
            is_default = hyper is cell.points[0]
            finished.append(Trial(hyper, tuple(done), (), is_default, is_widened, is_refined))
    return finished, missing


def _retest(
    cell: CellPlan, protocol: StudyProtocol, trials: Sequence[Trial], results: Results
) -> _Tuning:
    """Train the best trials on further tuning seeds, and the better half of them on still more.

    Args:
        cell: The cell.
        protocol: The protocol of the study.
        trials: All trials.
        results: The results so far.
    """
    trials = list(trials)
    rounds = _retest_rounds(protocol, len(trials))
    later = sum(count * seeds for count, seeds in rounds) + protocol.seeds
    first = protocol.tuning_seeds
    candidates = list(range(len(trials)))
    for count, seeds in rounds:
        candidates = _best_first(trials, candidates, protocol, cell.target)[:count]
        later -= count * seeds
        missing = []
        for i in candidates:
            done, lacking = _split(cell.tuning_runs(trials[i].hyper, first, seeds), results)
            trials[i] = replace(trials[i], retest=(*trials[i].retest, *done))
            missing += lacking
        if missing:
            return _Tuning(trials, missing, later)
        first += seeds
    return _Tuning(trials, [], candidates=[trials[i] for i in candidates])


def _best_first(
    trials: Sequence[Trial],
    among: Sequence[int],
    protocol: StudyProtocol,
    target: float | None,
) -> list[int]:
    """Return the indices of some of the trials, the best one first."""
    index = {id(trials[i]): i for i in among}
    ranking = TrialRanking(trials, protocol.select, target)
    return [index[id(trial)] for trial in ranking.best_first([trials[i] for i in among])]


def _split(specs: Sequence[RunSpec], results: Results) -> tuple[list[RunResult], list[RunSpec]]:
    """Return the results of the runs that have one, and the other runs."""
    keys = [spec.key for spec in specs]
    missing = [spec for spec, key in zip(specs, keys, strict=True) if key not in results]
    return [results[key] for key in keys if key in results], missing
