"""What the plots show, as plain arrays: bands over seeds, panels of workloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optbench.analysis.cost_axes import COLUMN_OF, CostAxis
from optbench.analysis.statistics.metrics import median
from optbench.analysis.view_records import RegimeView
from optbench.analysis.words.prose import count
from optbench.contracts import Array
from optbench.records import REGIMES, Cell, RunResult, Workload
from optbench.records.stored_curves import stack


@dataclass(frozen=True)
class Band:
    """Median and quartiles over seeds along a run; arrays of one length, NaN where undefined.

    Attributes:
        x: cost, the median over seeds (seconds differ between them, examples do not).
        mid: median; NaN once half of the runs have diverged.
        low, high: quartiles; equal to `mid` with a single seed, infinite where that many are lost.
    """

    x: Array
    mid: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Panel:
    """One workload and its cells by label."""

    workload: Workload
    title: str
    cells: Mapping[str, Cell]


def band(runs: Sequence[RunResult], column: str = "val_loss", axis: CostAxis = "examples") -> Band:
    """Median and quartiles of a column over runs of one configuration."""
    return bands(runs, (column,), (axis,))[column, axis]


def bands(
    runs: Sequence[RunResult], columns: Sequence[str], axes: Sequence[CostAxis]
) -> dict[tuple[str, CostAxis], Band]:
    """The band of each column on each axis; every run is read once.

    A run that has ended early counts as worst from there on: infinite loss, or a metric of minus
    infinity. Rows of the runs are taken together by position, as all log on one grid.
    """
    names = (*columns, *(COLUMN_OF[axis] for axis in axes))
    table = np.moveaxis(stack([run.curve for run in runs], names), 0, 1)
    if not table.size:
        empty = Band(*[np.empty(0)] * 4)
        return {(column, axis): empty for column in columns for axis in axes}
    y, costs = table[:, : len(columns)], median(table[:, len(columns) :], axis=0)
    worst = [[np.inf if column.endswith("loss") else -np.inf] for column in columns]
    y = np.sort(np.where(np.isfinite(y), y, worst), axis=0)
    low, mid, high = (_quantile(y, q) for q in (0.25, 0.5, 0.75))
    drawn = np.where(np.isfinite(mid), (mid, low, high), np.nan)
    return {
        (column, axis): Band(x, *drawn[:, i])
        for i, column in enumerate(columns)
        for axis, x in zip(axes, costs, strict=True)
    }


def _quantile(rows: Array, q: float) -> Array:
    """Quantile along the first axis of sorted rows that may hold infinities.

    NumPy's gives NaN as soon as a neighbour is infinite, even one with no weight.
    """
    place = q * (len(rows) - 1)
    below = int(place)
    weight = place - below
    lower: Array = rows[below]
    if not weight:
        return lower
    upper = rows[below + 1]
    mixed: Array = np.where(lower == upper, lower, (1 - weight) * lower + weight * upper)
    return mixed


def parts(workload: Workload) -> list[str]:
    """Everything but the dataset and the regime that tells a workload from others, in words."""
    return [
        workload.network,
        workload.initialization,
        f"B={workload.batch_size}" if workload.regime == "mini-batch" else "",
        count(workload.epochs, "epoch"),
    ]


def common(workloads: Sequence[Workload]) -> str:
    """What all of these workloads share, e.g. ``"32-32 relu, he-normal, B=32, 10 epochs"``."""
    columns = [set(column) - {""} for column in zip(*map(parts, workloads), strict=True)]
    return ", ".join(text for column in columns if len(column) == 1 for text in column)


def short_titles(workloads: Sequence[Workload]) -> dict[str, str]:
    """Label -> the dataset, and whatever else tells the workload from the others."""
    rows = [parts(w) for w in workloads]
    differ = [len(set(column) - {""}) > 1 for column in zip(*rows, strict=True)]
    return {
        w.label: ", ".join(
            [w.dataset, *(t for t, keep in zip(row, differ, strict=True) if keep and t)]
        )
        for w, row in zip(workloads, rows, strict=True)
    }


def titles_by_regime(workloads: Sequence[Workload]) -> dict[str, str]:
    """Label -> title that tells a workload from the others of its regime, and the regime."""
    titles = {}
    for regime in REGIMES:
        found = short_titles([w for w in workloads if w.regime == regime])
        titles.update({label: f"{title}, {regime}" for label, title in found.items()})
    return titles


def view_titles(views: Sequence[RegimeView]) -> list[str]:
    """Titles of regime views: the dataset, and those parts of their labels that differ."""
    rows = [view.label.split(" | ") for view in views]
    differ = [i == 0 or len(set(column)) > 1 for i, column in enumerate(zip(*rows, strict=False))]
    return [", ".join(t for t, keep in zip(row, differ, strict=False) if keep) for row in rows]


def panels(cells: Sequence[Cell]) -> dict[str, list[Panel]]:
    """Regime -> one panel a workload, in the order of `REGIMES` and then of the titles."""
    by_workload: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.evaluation:
            by_workload.setdefault(cell.workload.label, []).append(cell)
    found: dict[str, list[Panel]] = {regime: [] for regime in REGIMES}
    for group in by_workload.values():
        workload = group[0].workload
        cells_by_label = {c.entrant.label: c for c in sorted(group, key=lambda c: c.entrant.label)}
        found[workload.regime].append(Panel(workload, "", cells_by_label))
    for regime, untitled in found.items():
        titles = short_titles([panel.workload for panel in untitled])
        named = [replace(p, title=titles[p.workload.label]) for p in untitled]
        found[regime] = sorted(named, key=lambda panel: panel.title)
    return {regime: group for regime, group in found.items() if group}


def ranks_within(view: RegimeView) -> dict[str, dict[str, float]]:
    """Label -> regime -> rank by loss at equal examples among the entrants of that regime."""
    ranks: dict[str, dict[str, float]] = {}
    for regime in view.regimes:
        rows = [row for row in view.rows if row.regime == regime]
        for row in rows:
            below = sum(other.at_examples < row.at_examples for other in rows)
            equal = sum(other.at_examples == row.at_examples for other in rows)
            ranks.setdefault(row.label, {})[regime] = below + (equal + 1) / 2
    return ranks
