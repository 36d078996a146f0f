"""How much sooner one entrant reaches the target than another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optbench.analysis.board_rows import Estimate
from optbench.analysis.cost_axes import CostAxis
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics.hypothesis_tests import t_quantile
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array


def grid_steps(study: StudyArrays, measured: RunMetrics, axis: CostAxis = "examples") -> Array:
    """Return the log of the grid step at the end of which each run reached its target.

    The true crossing lies within that step. Shape (S, W, n); 0 where the target was missed, 1
    where no earlier cost is above 0.
    """
    cost = study.costs[axis]
    reached = measured.times[axis][tuple(study.place.T)]
    with np.errstate(invalid="ignore"):
        crossing = np.argmax(cost >= reached[:, None], axis=1)
    rows = np.arange(len(cost))
    before, after = cost[rows, np.maximum(crossing - 1, 0)], cost[rows, crossing]
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(before > 0, np.log(after / before), 1.0)
    return study.spread(np.where(np.isfinite(reached), step, 0.0))


@dataclass(frozen=True)
class Speedups:
    """Speedup on each of W workloads: ratio, its interval, and the squared error of its log.

    NaN where it is unknown: one of the two missed the target on some seed, or (all but `value`)
    there is only one seed.
    """

    value: Array
    low: Array
    high: Array
    error: Array
    seeds: Array


def speedups(first: Array, second: Array, first_steps: Array, second_steps: Array) -> Speedups:
    """Return the geometric mean over seeds of (time of `second` / time of `first`).

    The 95% interval is a paired t interval of the log ratio. A time known up to a grid step d has a
    rounding error of variance d^2/12. Where seeds differ by more, their variance contains it. Where
    they differ by less, they share it and no mean over seeds reduces it, so the missing part is
    added: otherwise equal times on every seed would claim certainty.

    Args:
        first, second: Times to target, shape (W, n), paired by seed; NaN where there was no run,
            infinite where the target was missed.
        first_steps, second_steps: Results of `grid_steps`.

    Returns:
        The speedups, known where both reached the target on every common seed, at a cost above 0.
    """
    common = ~np.isnan(first) & ~np.isnan(second)
    n = common.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(second / first)
        usable = np.isfinite(first) & np.isfinite(second) & np.isfinite(logs)
        mean = np.where(common & usable, logs, 0).sum(axis=1) / n
        mean = np.where((usable | ~common).all(axis=1), mean, np.nan)
        rest = np.where(common, logs - mean[:, None], 0)
        variance = (rest**2).sum(axis=1) / (n - 1)
        steps = np.where(common, (first_steps**2 + second_steps**2) / 12, 0).sum(axis=1) / n
        error = np.where(n > 1, variance / n + np.maximum(steps - variance, 0), np.nan)
        quantile = np.array([np.nan, np.nan, *map(t_quantile, range(1, first.shape[1]))])[n]
        half = quantile * np.sqrt(error)
        return Speedups(np.exp(mean), np.exp(mean - half), np.exp(mean + half), error, n)


def pooled_speedup(parts: Speedups) -> Estimate:
    """Return the geometric mean over the workloads on which the speedup is known."""
    known = ~np.isnan(parts.value)
    if not known.any():
        return Estimate(value=None)
    mean = float(np.log(parts.value[known]).mean())
    error = float(parts.error[known].sum())
    df = int((parts.seeds[known] - 1).sum())
    if math.isnan(error) or df == 0:
        return Estimate(value=math.exp(mean))
    half = t_quantile(df) * math.sqrt(error) / int(known.sum())
    return Estimate(value=math.exp(mean), low=math.exp(mean - half), high=math.exp(mean + half))
