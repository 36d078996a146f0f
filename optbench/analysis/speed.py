"""How much sooner one entrant reaches the target than another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optbench.analysis.leaderboard import Axis, Estimate
from optbench.analysis.rows import Measured
from optbench.analysis.statistics import t_quantile
from optbench.analysis.table import Table
from optbench.contracts import Array


def grid_steps(table: Table, measured: Measured, axis: Axis = "examples") -> Array:
    """Log of the step of the evaluation grid at which each run was seen to reach its target.

    The true crossing lies within that step before. Shape (S, W, n); 0 where the target was
    missed, 1 where no earlier cost is above 0.
    """
    cost = table.costs[axis]
    reached = measured.times[axis][tuple(table.place.T)]
    with np.errstate(invalid="ignore"):
        at = np.argmax(cost >= reached[:, None], axis=1)
    rows = np.arange(len(cost))
    before, here = cost[rows, np.maximum(at - 1, 0)], cost[rows, at]
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(before > 0, np.log(here / before), 1.0)
    return table.spread(np.where(np.isfinite(reached), step, 0.0))


def speedup(
    first: Array, second: Array, first_steps: Array, second_steps: Array
) -> tuple[Estimate, float]:
    """Geometric mean over seeds of (time of `second` / time of `first`), with a 95% interval.

    A paired t interval of the log ratio. A time known up to a grid step d adds the variance d^2/12
    of a rounding error, without which equal times on every seed would claim certainty.

    Args:
        first, second: times to target on one workload, shape (n,), paired by seed.
        first_steps, second_steps: from `grid_steps`.

    Returns:
        The ratio, and its squared standard error in logs. The value is None unless both reached
        the target on every seed, at a cost above 0.
    """
    common = ~np.isnan(first) & ~np.isnan(second)
    a, b = first[common], second[common]
    n = len(a)
    if not n or not (np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)).all():
        return Estimate(value=None), math.nan
    logs = np.log(b / a)
    mean = float(logs.mean())
    if n == 1:
        return Estimate(value=math.exp(mean)), math.nan
    steps = (first_steps[common] ** 2 + second_steps[common] ** 2) / 12
    error = float((logs.var(ddof=1) + steps.mean()) / n)
    half = t_quantile(n - 1) * math.sqrt(error)
    value, low, high = (math.exp(x) for x in (mean, mean - half, mean + half))
    return Estimate(value=value, low=low, high=high), error


def pooled_speedup(parts: Sequence[tuple[Estimate, float]], df: int) -> Estimate:
    """Geometric mean over workloads of their speedups; None without any.

    Args:
        parts: what `speedup` gave on each workload; those without a value are left out.
        df: degrees of freedom of one workload, n - 1.
    """
    known = [(part.value, error) for part, error in parts if part.value is not None]
    if not known:
        return Estimate(value=None)
    mean = float(np.mean([math.log(value) for value, _ in known]))
    errors = [error for _, error in known]
    if any(map(math.isnan, errors)):
        return Estimate(value=math.exp(mean))
    half = t_quantile(df * len(known)) * math.sqrt(sum(errors)) / len(known)
    return Estimate(value=math.exp(mean), low=math.exp(mean - half), high=math.exp(mean + half))
