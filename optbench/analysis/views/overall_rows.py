"""The rows over all workloads, in the order of the final-loss board."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optbench.analysis.board_records import Board
from optbench.analysis.board_rows import AxisSummary, Estimate, OverallRow
from optbench.analysis.cost_axes import COST_AXES, CostAxis
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import metrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.performance_profiles import profile_areas, time_ratios
from optbench.analysis.views.rates import rate_of
from optbench.analysis.views.workload_rows import edge_marks, mean_over_replicates
from optbench.contracts import Array


def overall_rows(
    study: StudyArrays, measured: RunMetrics, board: Board, scores: Array
) -> tuple[OverallRow, ...]:
    """Return one row for each entrant, best first.

    Args:
        study: The runs.
        measured: Their metrics.
        board: The ``final-loss`` board of these workloads.
        scores: Its values, shape (S, W, K).
    """
    means = np.round(mean_over_replicates(scores), 12)
    filled = np.where(np.isnan(means), -1.0, means)
    wins = (filled == filled.max(axis=0)).sum(axis=1)
    summaries = axis_summaries(measured)
    failed = study.spread(study.failed.astype(float))
    rows = []
    for rank, ranked in enumerate(board.rows, 1):
        s = study.labels.index(ranked.label)
        own = [(w, study.cells[s, w]) for w in range(len(means[s])) if (s, w) in study.cells]
        rows.append(
            OverallRow(
                label=ranked.label,
                optimizer=own[0][1].entrant.optimizer,
                rank=rank,
                place=ranked.place,
                tie_groups=ranked.letters,
                score=Estimate(value=ranked.value, low=ranked.low, high=ranked.high),
                stability=Estimate(value=float(np.nanmean(measured.kept_progress[s]))),
                divergence=rate_of(study.lost_runs[s]),
                failed=int(np.nansum(failed[s])),
                wins=int(wins[s]),
                workloads=len(own),
                partial=len(own) < len(study.workloads),
                edges=tuple(m for w, c in own for m in edge_marks(c, study.workload_labels[w])),
                times=summaries[s],
            )
        )
    return tuple(rows)


def axis_summaries(measured: RunMetrics) -> list[tuple[AxisSummary, ...]]:
    """Return the time to target of each entrant on every axis."""
    by_axis: Mapping[CostAxis, list[AxisSummary]] = {axis: [] for axis in COST_AXES}
    for axis, times in measured.median_times.items():
        solvable = np.isfinite(times).any(axis=0)
        known = times[:, solvable]
        ratios = time_ratios(known) if known.size else known
        areas = profile_areas(known) if known.size else known
        for s in range(len(times)):
            own = ratios[s][~np.isnan(ratios[s])]
            by_axis[axis].append(
                AxisSummary(
                    axis=axis,
                    solved=int(np.isfinite(times[s]).sum()),
                    workloads=len(own),
                    ratio=float(metrics.median(own)) if len(own) else None,
                    profile=float(areas[s]) if len(own) else None,
                )
            )
    return [tuple(by_axis[axis][s] for axis in COST_AXES) for s in range(len(measured.spikes))]
