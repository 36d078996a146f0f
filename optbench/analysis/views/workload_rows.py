"""The rows of each workload: the results of every entrant."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from optbench.analysis.board_rows import (
    EdgeMark,
    Estimate,
    Number,
    Spread,
    Times,
    WorkloadBoard,
    WorkloadRow,
    number,
    numbers,
)
from optbench.analysis.boards.score_scales import Scales
from optbench.analysis.grouping import indices_by_key
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.contrasts import t_quantiles
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.rates import make_rate
from optbench.contracts import Array
from optbench.records import Cell, spell, typical_cell
from optbench.suites import TARGET_LEVEL


def workload_boards(
    study: StudyArrays,
    measured: RunMetrics,
    scales: Scales,
    scores: Array,
    base_rates: Mapping[str, float],
) -> tuple[WorkloadBoard, ...]:
    """Return one board for each workload, with rows in the order of their mean scores.

    Args:
        study: The runs.
        measured: Their metrics.
        scales: Losses between which scores lie.
        scores: Values of the ``final-loss`` board, shape (S, W, K).
        base_rates: Dataset -> accuracy of always predicting its largest class, where it is known.
    """
    summaries = _Summaries(study, measured, scores)
    boards = []
    for w, workload in enumerate(study.workloads):
        present = [s for s in range(len(study.labels)) if (s, w) in study.cells]
        present.sort(key=lambda s: -summaries.mean_score[s][w])
        boards.append(
            WorkloadBoard(
                label=study.workload_labels[w],
                workload=workload,
                target=number(measured.targets[w]),
                target_level=TARGET_LEVEL,
                target_frozen=measured.frozen[w],
                initial_loss=number(study.initial_loss[w]),
                guess_loss=number(scales.guess["test"][w]),
                best_loss=number(scales.best["test"][w]),
                base_rate=base_rates.get(workload.dataset),
                rows=tuple(summaries.row(s, w) for s in present),
            )
        )
    return tuple(boards)


class _Summaries:
    """Summaries over the seeds of every cell, computed for all cells at once, as nested lists."""

    def __init__(self, study: StudyArrays, measured: RunMetrics, scores: Array) -> None:
        self.study = study
        mean, half = mean_over_replicates(scores), _t_half_widths(scores)
        self.mean_score = np.round(mean, 12).tolist()
        self.low, self.high = numbers(mean - half), numbers(mean + half)
        self.spreads = {
            "train_loss": _quartiles(study.train_loss),
            "val_loss": _quartiles(study.val_loss),
            "test_loss": _quartiles(study.test_loss),
            "test_metric": _quartiles(study.test_metric),
        }
        self.seed_spread = numbers(metrics.seed_spread(study.val_loss))
        self.times = {axis: numbers(t) for axis, t in measured.median_times.items()}
        self.areas = {axis: numbers(metrics.median(a)) for axis, a in measured.areas.items()}
        self.reached = np.isfinite(measured.times["examples"]).sum(axis=-1).tolist()
        runs = (~np.isnan(study.lost_runs)).sum(axis=-1)
        self.runs = runs.tolist()
        failed = study.spread(study.failed.astype(float))
        self.failed = np.nansum(failed, axis=-1).astype(int).tolist()
        self.lost = np.nansum(study.lost_runs, axis=-1).astype(int).tolist()
        with np.errstate(invalid="ignore"):
            self.spikes = numbers(np.nansum(measured.spikes, axis=-1) / runs)
        filled = np.where(np.isnan(measured.worst_rise), 1.0, measured.worst_rise)
        self.worst_rise = numbers(filled.max(axis=-1))
        self.lr = _lr(study)

    def row(self, s: int, w: int) -> WorkloadRow:
        study, cell, label = self.study, self.study.cells[s, w], self.study.labels[s]
        trials = study.trials.get((s, w))
        width, at_edge, sensitivity = self.lr.get((s, w), (None, False, None))
        replicates = [
            c for r in range(study.n_replicates) if (c := study.replicates.get((s, w, r)))
        ]
        typical = dict(typical_cell(replicates).values)
        known = [c.rate for c in replicates if math.isfinite(c.rate)]
        spread = {
            name: Spread(median=median[s][w], q25=q25[s][w], q75=q75[s][w])
            for name, (q25, median, q75) in self.spreads.items()
        }
        return WorkloadRow(
            label=label,
            configuration=spell(cell.entrant.optimizer, typical),
            hyper=typical,
            configurations=tuple(spell(cell.entrant.optimizer, c.values) for c in replicates),
            rate_low=min(known, default=None),
            rate_high=max(known, default=None),
            score=Estimate(
                value=self.mean_score[s][w],
                low=self.low[s][w],
                high=self.high[s][w],
            ),
            **spread,
            seed_spread=self.seed_spread[s][w],
            time=Times(**{axis: t[s][w] for axis, t in self.times.items()}),
            reached=self.reached[s][w],
            seeds=self.runs[s][w],
            log_area=Times(**{axis: a[s][w] for axis, a in self.areas.items()}),
            divergence=make_rate(self.lost[s][w], self.runs[s][w]),
            failed=self.failed[s][w],
            trial_divergence=make_rate(trials.diverged, trials.runs) if trials else make_rate(0, 0),
            trials=len(cell.trials),
            lr_width=width,
            lr_width_at_edge=at_edge,
            lr_sensitivity=sensitivity,
            spikes=self.spikes[s][w],
            worst_rise=self.worst_rise[s][w],
            edges=edge_marks(cell, study.workload_labels[w]),
        )


def _lr(study: StudyArrays) -> dict[tuple[int, int], tuple[Number, bool, Number]]:
    """Return lr width, whether it ends at an edge, and lr sensitivity, where only lr was tuned."""
    tuned = [
        (place, trials, trials.lr > 0)
        for place, trials in study.trials.items()
        if trials.only_lr and not math.isnan(study.initial_loss[place[1]])
    ]
    results: dict[tuple[int, int], tuple[Number, bool, Number]] = {}
    for group in indices_by_key((len(usable), usable.sum()) for _, _, usable in tuned):
        cells, trials, usable = zip(*(tuned[i] for i in group), strict=True)
        if usable[0].sum() < 2:
            continue
        initial = study.initial_loss[[w for _, w in cells]]
        lr = np.array([t.lr[u] for t, u in zip(trials, usable, strict=True)])
        loss = np.array([t.loss[u] for t, u in zip(trials, usable, strict=True)])
        width, at_edge = metrics.lr_width(lr, loss, initial)
        sensitivity = metrics.lr_sensitivity(np.array([t.loss for t in trials]), initial)
        values = (numbers(width), at_edge.tolist(), numbers(sensitivity))
        results.update(zip(cells, zip(*values, strict=True), strict=True))
    return results


def _quartiles(values: Array) -> list[list[list[Number]]]:
    return [numbers(part) for part in metrics.quantiles(values, (0.25, 0.5, 0.75))]


def mean_over_replicates(scores: Array) -> Array:
    """Return the mean over replicates, shape (S, W); NaN where an entrant has none."""
    count = (~np.isnan(scores)).sum(axis=-1)
    mean = np.nansum(scores, axis=-1) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, np.nan))


def _t_half_widths(values: Array) -> Array:
    """Return half the 95% t interval of the mean over replicates, shape (S, W); NaN with one."""
    n = (~np.isnan(values)).sum(axis=-1)
    square = np.nansum((values - mean_over_replicates(values)[..., None]) ** 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(t_quantiles(n - 1, 0.975) * np.sqrt(square / (n - 1) / n))


def edge_marks(cell: Cell, workload: str) -> tuple[EdgeMark, ...]:
    """Return the marks of the search ranges of one cell."""
    return tuple(
        EdgeMark(workload=workload, hyper=k, side=v) for k, v in sorted(cell.edges.items())
    )
