"""Every metric of every run of a study, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from optbench.analysis.board_rows import EdgeMark, Rate
from optbench.analysis.cost_axes import COST_AXES, CostAxis
from optbench.analysis.statistics import metrics, scoring
from optbench.analysis.statistics.hypothesis_tests import wilson
from optbench.analysis.study_arrays import Table
from optbench.contracts import Array
from optbench.records import Cell
from optbench.tuning.trials import time_to_target

BLOCK = 1024
"""Runs that are measured together: few enough for what is computed of them to stay in the cache."""


@dataclass(frozen=True)
class Measured:
    """Every metric of a study as arrays (S, W, n), NaN where there was no run.

    Attributes:
        targets: target of each workload, NaN when unknown.
        frozen: whether it came from a file.
        score: in [0, 1].
        times: time to target on each axis; infinite where missed.
        median_times: median over seeds, shape (S, W).
        areas: mean log validation loss over log cost, on each axis.
        spikes, worst_rise, kept: see `metrics`.
    """

    targets: Array
    frozen: tuple[bool, ...]
    best: Array
    score: Array
    times: dict[CostAxis, Array]
    median_times: dict[CostAxis, Array]
    areas: dict[CostAxis, Array]
    spikes: Array
    worst_rise: Array
    kept: Array


def measure(table: Table, targets: Array, frozen: tuple[bool, ...]) -> Measured:
    """Compute every metric of every run."""
    best = scoring.best_losses(table.test_loss)
    target = targets[table.place[:, 1]]
    costs = [table.costs[axis] for axis in COST_AXES]
    reached = _of_runs(_on_axes(time_to_target), table.val, target, *costs)
    reached = np.where(table.lost, np.inf, reached)
    reached = np.where(np.isnan(target), np.nan, reached)
    area = _of_runs(_on_axes(metrics.area_under_log_curve), table.val, table.lost, *costs)
    times = dict(zip(COST_AXES, map(table.spread, reached), strict=True))
    areas = dict(zip(COST_AXES, map(table.spread, area), strict=True))
    return Measured(
        targets=targets,
        frozen=frozen,
        best=best,
        score=scoring.score(table.test_loss, table.initial_loss, best),
        times=times,
        median_times={axis: metrics.median(t) for axis, t in times.items()},
        areas=areas,
        spikes=table.spread(_of_runs(metrics.spikes, table.train)),
        worst_rise=table.spread(_of_runs(metrics.worst_rise, table.train, table.lost)),
        kept=table.spread(_of_runs(metrics.kept_progress, table.train, table.lost)),
    )


def _of_runs(metric: Callable[..., Array], *per_run: Array) -> Array:
    """A metric of all runs, `BLOCK` at a time: on the way it needs many times their curves."""
    starts = range(0, len(per_run[0]), BLOCK)
    blocks = [metric(*(values[i : i + BLOCK] for values in per_run)) for i in starts]
    return np.concatenate(blocks, axis=-1)


def _on_axes(metric: Callable[..., Array]) -> Callable[..., Array]:
    """The metric on several cost axes at once, so that what rests on the loss is done once."""
    return lambda loss, per_run, *costs: metric(np.stack(costs), loss, per_run)


def rate(flags: Array) -> Rate:
    """Share of ones, with its Wilson interval; NaN entries are not counted."""
    total, count = int((~np.isnan(flags)).sum()), int(np.nansum(flags))
    return make_rate(count, total)


@cache
def make_rate(count: int, total: int) -> Rate:
    """`count` of `total` with its Wilson interval; nothing of nothing is 0."""
    low, high = wilson(count, total)
    return Rate(count=count, total=total, rate=count / max(total, 1), low=low, high=high)


def edge_marks(cell: Cell, workload: str) -> tuple[EdgeMark, ...]:
    """The marks of one cell."""
    return tuple(
        EdgeMark(workload=workload, hyper=k, side=v) for k, v in sorted(cell.edges.items())
    )
