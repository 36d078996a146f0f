"""The rows over all workloads: the ranking."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optbench.analysis.board_rows import AxisSummary, Estimate, OverallRow, TieGroup, number
from optbench.analysis.cost_axes import COST_AXES, CostAxis
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import metrics, ranking, scoring
from optbench.analysis.statistics.bootstrap import Stream
from optbench.analysis.statistics.hypothesis_tests import average_ranks
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.performance_profiles import profile_areas, time_ratios
from optbench.analysis.views.rates import rate_of
from optbench.analysis.views.workload_rows import edge_marks
from optbench.contracts import Array


def overall_rows(
    study: StudyArrays,
    measured: RunMetrics,
    overall: Array,
    better: Array,
    groups: tuple[TieGroup, ...],
) -> tuple[OverallRow, ...]:
    """Return one row for each entrant, best score first."""
    intervals = scoring.score_intervals(measured.score)
    places = ranking.place_ranges(better)
    means = ranking.workload_means(measured.score)
    filled = np.where(np.isnan(means), -1.0, means)
    wins = (filled == filled.max(axis=0)).sum(axis=1)
    complete = ~np.isnan(means).any(axis=1)
    ranks = np.full(len(means), np.nan)
    if complete.any():
        ranks[complete] = average_ranks(-means[complete], axis=0).mean(axis=1)
    summaries = axis_summaries(measured)
    failed = study.spread(study.failed.astype(float))
    rows = []
    for rank, s in enumerate(ranking.order_of(overall).tolist(), 1):
        own = [(w, study.cells[s, w]) for w in range(len(means[s])) if (s, w) in study.cells]
        interval = intervals[s]
        rows.append(
            OverallRow(
                label=study.labels[s],
                optimizer=own[0][1].entrant.optimizer,
                rank=rank,
                place=places[s],
                tie_groups="".join(g.letter for g in groups if study.labels[s] in g.labels),
                score=_estimate(float(overall[s]), interval),
                stability=_stability(measured.kept_progress[s]),
                divergence=rate_of(study.lost_runs[s]),
                failed=int(np.nansum(failed[s])),
                mean_rank=number(ranks[s]),
                wins=int(wins[s]),
                workloads=len(own),
                partial=len(own) < len(study.workloads),
                edges=tuple(m for w, c in own for m in edge_marks(c, study.workload_labels[w])),
                times=summaries[s],
            )
        )
    return tuple(rows)


def _estimate(value: float, interval: tuple[float, ...] | None) -> Estimate:
    if not interval:
        return Estimate(value=value)
    return Estimate(value=value, low=min(interval[0], value), high=max(interval[1], value))


def _stability(kept_progress: Array) -> Estimate:
    mean = float(np.nanmean(kept_progress))
    interval = scoring.mean_interval(kept_progress, Stream.STABILITY)
    return _estimate(mean, interval)


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
    return [tuple(by_axis[axis][s] for axis in COST_AXES) for s in range(len(measured.score))]
