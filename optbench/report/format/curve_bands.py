"""Median and quartiles over seeds along a run, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optbench.analysis.cost_axes import COLUMN_OF, CostAxis
from optbench.analysis.statistics.metrics import median
from optbench.contracts import Array
from optbench.records import RunResult, Status
from optbench.records.stored_curves import stack


@dataclass(frozen=True)
class Band:
    """Median and quartiles over seeds along a run; arrays of one length, NaN where undefined.

    Attributes:
        x: Cost, the median over seeds, which only matters for seconds.
        mid: Median; NaN once half of the runs have diverged.
        low, high: Quartiles; equal to `mid` with one seed, infinite where a quarter of the runs
            or more is lost.
        is_lost: Whether half of the runs or more were lost, be it at the last evaluation that any
            of them reached.
    """

    x: Array
    mid: Array
    low: Array
    high: Array
    is_lost: bool = False


def band(runs: Sequence[RunResult], column: str = "val_loss", axis: CostAxis = "examples") -> Band:
    """Return median and quartiles of a column over runs of one configuration."""
    return bands(runs, (column,), (axis,))[column, axis]


def bands(
    runs: Sequence[RunResult], columns: Sequence[str], axes: Sequence[CostAxis]
) -> dict[tuple[str, CostAxis], Band]:
    """Return the band of each column on each axis; every run is read once.

    A run that has ended early counts as worst from there on: infinite loss, or a metric of minus
    infinity. Rows of the runs are matched by position, since all runs log on one grid.
    """
    names = (*columns, *(COLUMN_OF[axis] for axis in axes))
    table = np.moveaxis(stack([run.curve for run in runs], names), 0, 1)
    if not table.size:
        nothing = np.empty(0)
        empty = Band(nothing, nothing, nothing, nothing)
        return {(column, axis): empty for column in columns for axis in axes}
    y, costs = table[:, : len(columns)], median(table[:, len(columns) :], axis=0)
    worst = [[np.inf if column.endswith("loss") else -np.inf] for column in columns]
    y = np.sort(np.where(np.isfinite(y), y, worst), axis=0)
    low, mid, high = (_quantile(y, q) for q in (0.25, 0.5, 0.75))
    drawn = np.where(np.isfinite(mid), (mid, low, high), np.nan)
    is_lost = 2 * sum(run.status is not Status.OK for run in runs) >= len(runs)
    return {
        (column, axis): Band(x, drawn[0, i], drawn[1, i], drawn[2, i], is_lost)
        for i, column in enumerate(columns)
        for axis, x in zip(axes, costs, strict=True)
    }


def _quantile(rows: Array, q: float) -> Array:
    """Return a quantile along the first axis of sorted rows that may contain infinities.

    NumPy gives NaN as soon as a neighbor is infinite, even one with no weight.
    """
    position = q * (len(rows) - 1)
    below = int(position)
    weight = position - below
    lower: Array = rows[below]
    if not weight:
        return lower
    upper = rows[below + 1]
    mixed: Array = np.where(lower == upper, lower, (1 - weight) * lower + weight * upper)
    return mixed
