"""Empirical distribution of the cost to targets: what share of them is reached by which cost.

A performance profile compares times with the best time of the study, and has one target for each
workload. This needs no other entrant, and takes several targets of each workload, easy and hard
(Hansen et al. 2016, COCO).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from optbench.analysis.boards.board_values import MISSED, share_of_budget
from optbench.analysis.boards.score_scales import Scales, scales_of
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import TargetDistribution
from optbench.contracts import Array
from optbench.records import Cell
from optbench.suites import Targets
from optbench.suites.target_files import SHARES

USUAL_LEVELS = tuple(SHARES.values())
POSITIONS = 96
"""Costs at which a distribution is given."""


def target_distribution(
    study: StudyArrays,
    scales: Scales,
    levels: Sequence[float] = USUAL_LEVELS,
    workloads: Collection[str] | None = None,
) -> TargetDistribution | None:
    """Return the distribution of every entrant; None if no target was reached.

    Args:
        study: The runs.
        scales: Their targets.
        levels: Shares of the way from guessing to the best known loss, each in (0, 1].
        workloads: Labels of the workloads that count; by default all of them.
    """
    costs = target_costs(study, scales, levels)
    if workloads is not None:
        counts = np.array([label in workloads for label in study.workload_labels], dtype=bool)
        costs = np.where(counts[study.place[:, 1]], costs, np.nan)
    reached = costs[costs < MISSED]
    if not reached.size:
        return None
    grid = np.geomspace(reached.min(), max(1.0, float(reached.max())), POSITIONS)
    grid[0] = reached.min()  # rounding must not leave it out
    own = {
        label: costs[:, study.place[:, 0] == s]
        for s, label in enumerate(study.labels)
        if np.isfinite(costs[:, study.place[:, 0] == s]).any()
    }
    return TargetDistribution(
        levels=tuple(levels),
        cost=tuple(grid.tolist()),
        reached={label: tuple(_shares(values, grid)) for label, values in own.items()},
        triples={label: int(np.isfinite(values).sum()) for label, values in own.items()},
    )


def target_costs(study: StudyArrays, scales: Scales, levels: Sequence[float]) -> Array:
    """Return the examples to each target as shares of the budget, shape (levels, R).

    It is `MISSED` where a run missed the target, and NaN without one.
    """
    w = study.place[:, 1]
    losses = [
        np.array([np.nan if r is None else r.loss_at(level) for r in scales.records])[w]
        for level in levels
    ]
    return np.array([share_of_budget(study, target) for target in losses])


def distribution_of_cells(
    cells: Sequence[Cell],
    known: Targets,
    levels: Sequence[float] = USUAL_LEVELS,
    workloads: Collection[str] | None = None,
) -> TargetDistribution | None:
    """Return the distribution of a study, of which a part of the workloads may count.

    Args:
        cells: All cells of the study; targets that are not frozen are derived from them.
        known: Frozen targets.
        levels: As for `target_distribution`.
        workloads: As for `target_distribution`.
    """
    study = StudyArrays(cells)
    return target_distribution(study, scales_of(study, known), levels, workloads)


def target_rows(
    cells: Sequence[Cell], known: Targets, levels: Sequence[float] = USUAL_LEVELS
) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation run and target: its loss, and the cost to reach it.

    Args:
        cells: As for `distribution_of_cells`.
        known: Frozen targets.
        levels: As for `target_distribution`.
    """
    study = StudyArrays(cells)
    scales = scales_of(study, known)
    costs = target_costs(study, scales, levels)
    for r, (run, (s, w, _)) in enumerate(zip(study.runs, study.place.tolist(), strict=True)):
        record = scales.records[w]
        if record is None:
            continue
        for level, cost in zip(levels, costs[:, r].tolist(), strict=True):
            is_reached = bool(cost < MISSED)
            yield {
                "label": study.labels[s],
                "workload": study.workload_labels[w],
                "replicate": int(study.replicate[r]),
                "seed": run.spec.seed,
                "level": level,
                "target": record.loss_at(level),
                "target_frozen": scales.target_frozen[w],
                "reached": is_reached,
                "cost": cost if is_reached else None,
            }


def _shares(costs: Array, grid: Array) -> list[float]:
    """Return the share of finite costs up to each of the grid."""
    known = np.sort(costs[np.isfinite(costs)])
    shares: list[float] = (np.searchsorted(known, grid, side="right") / len(known)).tolist()
    return shares
