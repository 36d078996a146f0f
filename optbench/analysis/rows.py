"""The rows of the leaderboard: each entrant on each workload, and each entrant overall."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optbench.analysis import metrics, ranking, scoring
from optbench.analysis.leaderboard import (
    AXES,
    Axis,
    AxisSummary,
    EdgeMark,
    Estimate,
    Number,
    OverallRow,
    Rate,
    Spread,
    TieGroup,
    Times,
    WorkloadBoard,
    WorkloadRow,
)
from optbench.analysis.profiles import profile_areas, time_ratios
from optbench.analysis.statistics import average_ranks, t_quantile, wilson
from optbench.analysis.table import Table
from optbench.analysis.views import number
from optbench.contracts import Array
from optbench.records import Cell, spell


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
    times: dict[Axis, Array]
    median_times: dict[Axis, Array]
    areas: dict[Axis, Array]
    spikes: Array
    worst_rise: Array
    kept: Array


def measure(table: Table, targets: Array, frozen: tuple[bool, ...]) -> Measured:
    """Compute every metric of every run."""
    best = scoring.best_losses(table.test_loss)
    target = targets[table.place[:, 1]]
    times, areas = {}, {}
    for axis in AXES:
        cost = table.costs[axis]
        reached = metrics.time_to_target(cost, table.val, target)
        reached = np.where(table.lost, np.inf, reached)
        times[axis] = table.spread(np.where(np.isnan(target), np.nan, reached))
        areas[axis] = table.spread(metrics.area_under_log_curve(cost, table.val, table.lost))
    return Measured(
        targets=targets,
        frozen=frozen,
        best=best,
        score=scoring.score(table.test_loss, table.initial_loss, best),
        times=times,
        median_times={axis: metrics.median(t) for axis, t in times.items()},
        areas=areas,
        spikes=table.spread(metrics.spikes(table.train)),
        worst_rise=table.spread(metrics.worst_rise(table.train, table.lost)),
        kept=table.spread(metrics.kept_progress(table.train, table.lost)),
    )


def rate(flags: Array) -> Rate:
    """Share of ones, with its Wilson interval; NaN entries are not counted."""
    total, count = int((~np.isnan(flags)).sum()), int(np.nansum(flags))
    return make_rate(count, total)


def make_rate(count: int, total: int) -> Rate:
    """`count` of `total` with its Wilson interval; nothing of nothing is 0."""
    low, high = wilson(count, total)
    return Rate(count=count, total=total, rate=count / max(total, 1), low=low, high=high)


def edge_marks(cell: Cell, workload: str) -> tuple[EdgeMark, ...]:
    """The marks of one cell."""
    return tuple(
        EdgeMark(workload=workload, hyper=k, side=v) for k, v in sorted(cell.edges.items())
    )


# -- one workload --------------------------------------------------------------------------------


def workload_boards(table: Table, measured: Measured, level: str) -> tuple[WorkloadBoard, ...]:
    """One board a workload, its rows best mean score first."""
    summaries = _Summaries(table, measured)
    found = []
    for w, workload in enumerate(table.workloads):
        present = [s for s in range(len(table.labels)) if (s, w) in table.cells]
        present.sort(key=lambda s: -summaries.mean_score[s, w])
        target = measured.targets[w]
        found.append(
            WorkloadBoard(
                label=table.workload_labels[w],
                workload=workload,
                target=number(target),
                target_level=level,
                target_frozen=measured.frozen[w],
                initial_loss=number(table.initial_loss[w]),
                best_loss=number(measured.best[w]),
                rows=tuple(summaries.row(s, w) for s in present),
            )
        )
    return tuple(found)


class _Summaries:
    """Summaries over seeds of every cell, computed for all cells at once."""

    def __init__(self, table: Table, measured: Measured) -> None:
        self.table, self.measured = table, measured
        self.mean_score = ranking.workload_means(measured.score)
        self.half_width = _t_half_widths(measured.score)
        self.spreads = {
            "train_loss": _quartiles(table.train_loss),
            "val_loss": _quartiles(table.val_loss),
            "test_loss": _quartiles(table.test_loss),
            "test_metric": _quartiles(table.test_metric),
        }
        self.seed_spread = metrics.seed_spread(table.val_loss)
        self.areas = {axis: metrics.median(a) for axis, a in measured.areas.items()}
        self.reached = np.isfinite(measured.times["examples"]).sum(axis=-1)
        self.runs = (~np.isnan(table.lost_runs)).sum(axis=-1)
        self.lost = np.nansum(table.lost_runs, axis=-1).astype(int)
        with np.errstate(invalid="ignore"):
            self.spikes = np.nansum(measured.spikes, axis=-1) / self.runs
        filled = np.where(np.isnan(measured.worst_rise), 1.0, measured.worst_rise)
        self.worst_rise = filled.max(axis=-1)

    def row(self, s: int, w: int) -> WorkloadRow:
        table, cell, label = self.table, self.table.cells[s, w], self.table.labels[s]
        trials = table.trials.get((s, w))
        width, at_edge, sensitivity = self._lr(s, w)
        hyper = dict(cell.chosen or cell.evaluation[0].spec.hyper)
        mean, half = float(self.mean_score[s, w]), float(self.half_width[s, w])
        known = not math.isnan(half)
        times = {a: number(t[s, w]) for a, t in self.measured.median_times.items()}
        spread = {
            name: Spread(median=number(x[1][s, w]), q25=number(x[0][s, w]), q75=number(x[2][s, w]))
            for name, x in self.spreads.items()
        }
        return WorkloadRow(
            label=label,
            configuration=spell(cell.entrant.optimizer, hyper),
            hyper=hyper,
            score=Estimate(
                value=mean,
                low=max(0.0, mean - half) if known else None,
                high=min(1.0, mean + half) if known else None,
            ),
            **spread,
            seed_spread=number(self.seed_spread[s, w]),
            time=Times(**times),
            reached=int(self.reached[s, w]),
            seeds=int(self.runs[s, w]),
            log_area=Times(**{a: number(x[s, w]) for a, x in self.areas.items()}),
            divergence=make_rate(int(self.lost[s, w]), int(self.runs[s, w])),
            trial_divergence=make_rate(trials.diverged, trials.runs) if trials else _NO_TRIALS,
            trials=len(cell.trials),
            lr_width=width,
            lr_width_at_edge=at_edge,
            lr_sensitivity=sensitivity,
            spikes=number(self.spikes[s, w]),
            worst_rise=number(self.worst_rise[s, w]),
            edges=edge_marks(cell, table.workload_labels[w]),
        )

    def _lr(self, s: int, w: int) -> tuple[Number, bool, Number]:
        """lr width, whether it ends at an edge, lr sensitivity; where only lr was tuned."""
        trials, initial = self.table.trials.get((s, w)), float(self.table.initial_loss[w])
        if trials is None or not trials.only_lr or math.isnan(initial):
            return None, False, None
        usable = trials.lr > 0
        if usable.sum() < 2:
            return None, False, None
        width, at_edge = metrics.lr_width(trials.lr[usable], trials.loss[usable], initial)
        return width, at_edge, metrics.lr_sensitivity(trials.loss, initial)


_NO_TRIALS = make_rate(0, 0)


def _quartiles(values: Array) -> tuple[Array, Array, Array]:
    q25, q50, q75 = (metrics.quantile(values, q) for q in (0.25, 0.5, 0.75))
    return q25, q50, q75


def _t_half_widths(values: Array) -> Array:
    """Half the 95% t interval of the mean over seeds, shape (S, W); NaN with one seed."""
    n = (~np.isnan(values)).sum(axis=-1)
    mean = np.nansum(values, axis=-1) / np.maximum(n, 1)
    square = np.nansum((values - mean[..., None]) ** 2, axis=-1)
    quantiles = np.array([np.nan, np.nan, *map(t_quantile, range(1, int(n.max(initial=1))))])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(quantiles[n] * np.sqrt(square / (n - 1) / n))


# -- overall -------------------------------------------------------------------------------------


def overall_rows(
    table: Table,
    measured: Measured,
    overall: Array,
    better: Array,
    groups: tuple[TieGroup, ...],
    rng_seed: int,
) -> tuple[OverallRow, ...]:
    """One row an entrant, best score first."""
    intervals = scoring.score_intervals(measured.score, rng_seed)
    places = ranking.place_ranges(better)
    means = ranking.workload_means(measured.score)
    filled = np.where(np.isnan(means), -1.0, means)
    wins = (filled == filled.max(axis=0)).sum(axis=1)
    complete = ~np.isnan(means).any(axis=1)
    ranks = np.full(len(means), np.nan)
    if complete.any():
        ranks[complete] = average_ranks(-means[complete], axis=0).mean(axis=1)
    summaries = axis_summaries(measured)
    failed = table.spread(table.failed.astype(float))
    found = []
    for rank, s in enumerate(ranking.order_of(overall).tolist(), 1):
        own = [(w, table.cells[s, w]) for w in range(len(means[s])) if (s, w) in table.cells]
        interval = intervals[s]
        found.append(
            OverallRow(
                label=table.labels[s],
                optimizer=own[0][1].entrant.optimizer,
                rank=rank,
                place=places[s],
                tie_groups="".join(g.letter for g in groups if table.labels[s] in g.labels),
                score=_estimate(float(overall[s]), interval),
                stability=_stability(measured.kept[s], rng_seed),
                divergence=rate(table.lost_runs[s]),
                failed=int(np.nansum(failed[s])),
                mean_rank=number(ranks[s]),
                wins=int(wins[s]),
                workloads=len(own),
                partial=len(own) < len(table.workloads),
                edges=tuple(m for w, c in own for m in edge_marks(c, table.workload_labels[w])),
                times=summaries[s],
            )
        )
    return tuple(found)


def _estimate(value: float, interval: tuple[float, ...] | None) -> Estimate:
    if not interval:
        return Estimate(value=value)
    return Estimate(value=value, low=min(interval[0], value), high=max(interval[1], value))


def _stability(kept: Array, rng_seed: int) -> Estimate:
    mean = float(np.nanmean(kept))
    interval = scoring.mean_interval(kept, np.random.default_rng([rng_seed, 4]))
    return _estimate(mean, interval)


def axis_summaries(measured: Measured) -> list[tuple[AxisSummary, ...]]:
    """Time to target of each entrant on every axis."""
    by_axis: Mapping[Axis, list[AxisSummary]] = {axis: [] for axis in AXES}
    for axis, times in measured.median_times.items():
        solvable = np.isfinite(times).any(axis=0)
        kept = times[:, solvable]
        ratios = time_ratios(kept) if kept.size else kept
        areas = profile_areas(kept) if kept.size else kept
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
    return [tuple(by_axis[axis][s] for axis in AXES) for s in range(len(measured.score))]
