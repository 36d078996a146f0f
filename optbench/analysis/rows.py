"""The rows of each workload: what every entrant did there."""

from __future__ import annotations

import math

import numpy as np

from optbench.analysis import metrics, ranking
from optbench.analysis.leaderboard import (
    Estimate,
    Number,
    Spread,
    Times,
    WorkloadBoard,
    WorkloadRow,
)
from optbench.analysis.measured import Measured, edge_marks, make_rate
from optbench.analysis.statistics import t_quantile
from optbench.analysis.table import Table
from optbench.analysis.views import number
from optbench.contracts import Array
from optbench.records import spell


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
        failed = table.spread(table.failed.astype(float))
        self.failed = np.nansum(failed, axis=-1).astype(int)
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
            failed=int(self.failed[s, w]),
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
