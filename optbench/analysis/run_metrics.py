"""Every metric of every run of a study, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optbench.analysis.cost_axes import COST_AXES, CostAxis
from optbench.analysis.statistics import metrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.tuning.trials import time_to_target

BLOCK_RUNS = 1024
"""Runs that are measured together: few enough for intermediate results to stay in the cache."""


@dataclass(frozen=True)
class RunMetrics:
    """Every metric of a study as arrays (S, W, n), NaN where there was no run.

    Attributes:
        targets: Target of each workload, NaN if unknown, shape (W,).
        frozen: Whether it came from a file.
        times: Time to target on each axis; infinite where missed.
        median_times: Median over seeds, shape (S, W).
        areas: Mean log validation loss over log cost, on each axis.
        spikes, worst_rise, kept_progress: Results of the functions of these names in `metrics`.
    """

    targets: Array
    frozen: tuple[bool, ...]
    times: dict[CostAxis, Array]
    median_times: dict[CostAxis, Array]
    areas: dict[CostAxis, Array]
    spikes: Array
    worst_rise: Array
    kept_progress: Array


def measure(study: StudyArrays, targets: Array, frozen: tuple[bool, ...]) -> RunMetrics:
    """Compute every metric of every run."""
    target = targets[study.place[:, 1]]
    costs = [study.costs[axis] for axis in COST_AXES]
    reached = _of_runs(_on_axes(time_to_target), study.val, target, *costs)
    reached = np.where(study.lost, np.inf, reached)
    reached = np.where(np.isnan(target), np.nan, reached)
    area = _of_runs(_on_axes(metrics.area_under_log_curve), study.val, study.lost, *costs)
    times = dict(zip(COST_AXES, map(study.spread, reached), strict=True))
    areas = dict(zip(COST_AXES, map(study.spread, area), strict=True))
    return RunMetrics(
        targets=targets,
        frozen=frozen,
        times=times,
        median_times={axis: metrics.median(t) for axis, t in times.items()},
        areas=areas,
        spikes=study.spread(_of_runs(metrics.spikes, study.train)),
        worst_rise=study.spread(_of_runs(metrics.worst_rise, study.train, study.lost)),
        kept_progress=study.spread(_of_runs(metrics.kept_progress, study.train, study.lost)),
    )


def _of_runs(metric: Callable[..., Array], *per_run: Array) -> Array:
    """Compute a metric of all runs, `BLOCK_RUNS` at a time, as it needs several arrays as large."""
    starts = range(0, len(per_run[0]), BLOCK_RUNS)
    blocks = [metric(*(values[i : i + BLOCK_RUNS] for values in per_run)) for i in starts]
    return np.concatenate(blocks, axis=-1)


def _on_axes(metric: Callable[..., Array]) -> Callable[..., Array]:
    """Return the metric on several cost axes at once, which computes what the loss needs once."""
    return lambda loss, per_run, *costs: metric(np.stack(costs), loss, per_run)
