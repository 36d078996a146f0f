"""Estimation of the runs that a study would train, and of their time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from optbench.analysis.run_costs import UNKNOWN_OVERHEAD, Pace, seconds_of_runs
from optbench.plan import CellPlan, Step, StudyPlan, advance, planned_runs
from optbench.records import RunResult, RunSpec
from optbench.registry import Registry, default_registry
from optbench.study.folders import STORE_NAME, open_store
from optbench.study.saved import decode_record
from optbench.support.child_processes import available_cores

PROBE_SECONDS = 4.0
"""Maximum time spent on measuring, in seconds, without compilation."""
PROBE_EPOCHS = 2
"""Number of epochs of a measured run."""


@dataclass(frozen=True)
class CellEstimate:
    """Number of runs of one entrant on one workload, in all replicates.

    Attributes:
        workload: Label of the workload.
        optimizer: Label of the entrant.
        planned: Number of runs, including stored ones; a widened range adds some.
        stored: Number of runs that are in the store.
        missing: Number of runs that can be trained now.
    """

    workload: str
    optimizer: str
    planned: int
    stored: int
    missing: tuple[RunSpec, ...]


@dataclass(frozen=True)
class Estimate:
    """Number of runs of a study, and the time that they take.

    Attributes:
        suite: Name of the suite.
        cells: Every entrant on every workload.
        seconds: Time of the missing runs on all cores, in seconds.
        cores: Number of parallel runs.
        left_out: One sentence for each entrant that is not defined in a regime.
    """

    suite: str
    cells: tuple[CellEstimate, ...]
    seconds: float
    cores: int
    left_out: tuple[str, ...]

    @property
    def planned(self) -> int:
        """Number of runs."""
        return sum(cell.planned for cell in self.cells)

    @property
    def stored(self) -> int:
        """Number of runs that are in the store."""
        return sum(cell.stored for cell in self.cells)


def estimate_study(
    plan: StudyPlan,
    folder: str | Path | None = None,
    *,
    jobs: int | None = None,
    registry: Registry | None = None,
) -> Estimate:
    """Count the runs of a study and measure a few of them.

    Args:
        plan: The study.
        folder: Folder with a store that may have some of the runs.
        jobs: Number of parallel runs; one per core if None.
        registry: Registry in which names are looked up; the default one if None.
    """
    results, overhead = _stored_results(folder)
    steps = [advance(cell, plan.protocol, results) for cell in plan.cells]
    counts = [_count_runs(cell, plan, step) for cell, step in zip(plan.cells, steps, strict=True)]
    work = [
        (cell, count.planned - count.stored)
        for cell, count in zip(plan.cells, counts, strict=True)
        if count.planned > count.stored
    ]
    cores = jobs or available_cores()
    seconds = _seconds(work, _stored_times(steps), overhead, cores, registry or default_registry())
    return Estimate(plan.suite, _pool_replicates(counts), seconds, cores, plan.left_out)


def _stored_results(folder: str | Path | None) -> tuple[Mapping[str, RunResult], float | None]:
    """Return the results of a store, and the time around a run that its last study measured."""
    if folder is None or not (Path(folder) / STORE_NAME).exists():
        return {}, None
    with open_store(folder) as store:
        saved = store.last_study()
        overhead = None if saved is None else decode_record(saved, store.path).overhead
        return {result.key: result for result in store.results()}, overhead


def _stored_times(steps: Sequence[Step]) -> dict[tuple[str, str], float]:
    """Return the mean training time of the stored runs by labels of workload and entrant."""
    times: dict[tuple[str, str], list[float]] = {}
    for cell in (step.cell for step in steps):
        own = times.setdefault((cell.workload.label, cell.entrant.label), [])
        own += [run.seconds for run in cell.evaluation]
        own += [run.seconds for trial in cell.trials for run in trial.runs]
    return {labels: sum(own) / len(own) for labels, own in times.items() if own}


def _count_runs(cell: CellPlan, plan: StudyPlan, step: Step) -> CellEstimate:
    ahead = len(step.missing) + step.later
    return CellEstimate(
        workload=cell.workload.label,
        optimizer=cell.entrant.label,
        planned=max(planned_runs(cell, plan.protocol), step.done + ahead),
        stored=step.done,
        missing=tuple(step.missing),
    )


def _pool_replicates(counts: Sequence[CellEstimate]) -> tuple[CellEstimate, ...]:
    """Add up the replicates of each entrant on each workload."""
    groups: dict[tuple[str, str], list[CellEstimate]] = {}
    for count in counts:
        groups.setdefault((count.workload, count.optimizer), []).append(count)
    return tuple(
        CellEstimate(
            workload=workload,
            optimizer=optimizer,
            planned=sum(count.planned for count in group),
            stored=sum(count.stored for count in group),
            missing=tuple(spec for count in group for spec in count.missing),
        )
        for (workload, optimizer), group in groups.items()
    )


def _seconds(
    work: Sequence[tuple[CellPlan, int]],
    stored: Mapping[tuple[str, str], float],
    overhead: float | None,
    cores: int,
    registry: Registry,
) -> float:
    """Return the time of the missing runs of each cell.

    A run takes as long as stored runs of its entrant on its workload; where there are none, it is
    estimated from one short run per cost class.
    """
    unknown = [cell for cell, _ in work if _labels(cell) not in stored]
    measured = dict(_measure_runs(unknown, registry)) if unknown else {}
    probes = list(measured.values()) or [(0.0, UNKNOWN_OVERHEAD)]
    typical, around = (sum(column) / len(probes) for column in zip(*probes, strict=True))
    times = [
        (n, stored.get(_labels(cell), measured.get(_cost_class(cell), (typical, around))[0]))
        for cell, n in work
    ]
    return seconds_of_runs(times, Pace(around if overhead is None else overhead, cores))


def _labels(cell: CellPlan) -> tuple[str, str]:
    return cell.workload.label, cell.entrant.label


def _measure_runs(
    cells: Sequence[CellPlan], registry: Registry
) -> Iterator[tuple[tuple[str, type], tuple[float, float]]]:
    """Yield the training time of a run of each cost class and the time around it.

    It ends when `PROBE_SECONDS` are spent.
    """
    from optbench.engine.training import prepare, train_spec

    prepare([cell.template for cell in cells], registry)
    first = {_cost_class(cell): cell for cell in reversed(cells)}
    started = time.monotonic()
    for cost_class in dict.fromkeys(map(_cost_class, cells)):
        if time.monotonic() - started > PROBE_SECONDS:
            return
        template = first[cost_class].template
        short = msgspec.structs.replace(template, epochs=min(template.epochs, PROBE_EPOCHS))
        train_spec(short, registry)  # loads data and code that later runs find in caches
        before = time.monotonic()
        training = train_spec(short, registry).seconds
        around = max(time.monotonic() - before - training, 0.0)
        yield cost_class, (training * template.epochs / short.epochs, around)


def _cost_class(cell: CellPlan) -> tuple[str, type]:
    """Return the cost class of a cell: workload and base class of the optimizer."""
    return cell.workload.label, cell.optimizer.__mro__[1]
