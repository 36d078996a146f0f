"""The cells of a study as arrays: entrant x workload x seed, and curves stacked in rows."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optbench.analysis.cost_axes import COLUMN_OF, COST_AXES, CostAxis
from optbench.analysis.statistics import metrics
from optbench.contracts import Array, Value
from optbench.errors import ConfigError
from optbench.records import Cell, RunResult, Status, Workload, pool_replicates
from optbench.records.stored_curves import stack
from optbench.tuning.trials import is_lost, trial_loss


@dataclass(frozen=True)
class Trials:
    """The tuning of one cell: learning rate and final loss of each trial.

    Attributes:
        lr: Values of the optimizer's rate, NaN for an optimizer without one.
        loss: Final validation losses, infinite for trials that were lost.
        only_lr: Whether only the rate differs between the trials.
        is_drawn: Whether each trial was drawn from the declared range: it is neither the default
            configuration, nor a point of a widened range, nor one beside the best trial.
        runs: Number of tuning runs, a retest included.
        diverged: Number of them that were lost.
    """

    lr: Array
    loss: Array
    only_lr: bool
    is_drawn: Array
    runs: int
    diverged: int


class StudyArrays:
    """A study as arrays of S entrants, W workloads, n seeds, R evaluation runs, G evaluations.

    Arrays of shape (S, W, n) hold NaN where there was no run. A run that diverged or failed holds
    infinite losses, minus infinity as its metric, and True in `lost`. Cells without evaluation
    runs are left out. The replicates of a cell are pooled: their runs count as more seeds.

    Raises:
        ConfigError: An entrant has two cells on one workload in one replicate.

    Attributes:
        labels: Entrants, in the order of the cells.
        workload_labels, workloads: Workloads, in the order of the cells.
        cells: (s, w) -> cell, with the runs of all replicates.
        replicates: (s, w, r) -> cell of one replicate.
        n_replicates: Number K of replicates.
        seeds_of: Seed -> k on each workload.
        runs: Evaluation runs, as long as R.
        place: Indices (s, w, k) of each run, shape (R, 3).
        replicate: Replicate r of each run, shape (R,).
        lost, failed: Whether each run was lost, whether it failed, shape (R,).
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        evaluated = [cell for cell in cells if cell.evaluation]
        places = [(cell.entrant.label, cell.workload.label, cell.replicate) for cell in evaluated]
        twice = [place for place, times in Counter(places).items() if times > 1]
        if twice:
            raise ConfigError(f"{twice[0][0]} is entered twice on {twice[0][1]}")
        replicated, evaluated = evaluated, pool_replicates(evaluated)
        names = [(cell.entrant.label, cell.workload.label) for cell in evaluated]
        self.labels = list(dict.fromkeys(label for label, _ in names))
        by_label = {w: cell.workload for (_, w), cell in zip(names, evaluated, strict=True)}
        self.workload_labels = list(by_label)
        self.workloads: list[Workload] = list(by_label.values())
        row = {label: i for i, label in enumerate(self.labels)}
        column = {label: i for i, label in enumerate(self.workload_labels)}
        self.cells: dict[tuple[int, int], Cell] = {
            (row[a], column[b]): cell for (a, b), cell in zip(names, evaluated, strict=True)
        }
        numbers = sorted({cell.replicate for cell in replicated})
        self.replicates: dict[tuple[int, int, int], Cell] = {
            (
                row[cell.entrant.label],
                column[cell.workload.label],
                numbers.index(cell.replicate),
            ): cell
            for cell in sorted(replicated, key=lambda cell: cell.replicate)
        }
        self.n_replicates = len(numbers)
        self.seeds_of = self._seeds()
        self.n_seeds = max((len(s) for s in self.seeds_of), default=0)
        self.runs: list[RunResult] = []
        indices, replicate = [], []
        for (s, w, r), cell in self.replicates.items():
            for result in cell.evaluation:
                self.runs.append(result)
                indices.append((s, w, self.seeds_of[w][result.spec.seed]))
                replicate.append(r)
        self.replicate = np.array(replicate, dtype=int)
        self.place = np.array(indices, dtype=int).reshape(-1, 3)
        self.lost = np.array([is_lost(r) for r in self.runs], dtype=bool)
        self.failed = np.array([r.status == Status.FAILED for r in self.runs], dtype=bool)

    def _seeds(self) -> list[dict[int, int]]:
        """Return seed -> k on each workload, so that the same seed is paired between entrants."""
        seeds_of: list[set[int]] = [set() for _ in self.workloads]
        for (_, w), cell in self.cells.items():
            seeds_of[w].update(result.spec.seed for result in cell.evaluation)
        return [{seed: k for k, seed in enumerate(sorted(seeds))} for seeds in seeds_of]

    @property
    def shape(self) -> tuple[int, int, int]:
        """S, W, n."""
        return len(self.labels), len(self.workloads), self.n_seeds

    def spread(self, per_run: Array) -> Array:
        """Lay out values of runs, shape (R,), as (S, W, n) with NaN where there is no run."""
        values = np.full(self.shape, np.nan)
        values[tuple(self.place.T)] = per_run
        return values

    def workload_medians(self, per_run: Array) -> Array:
        """Return the median of the finite values of runs on each workload, shape (W,), or NaN."""
        values = self.spread(np.where(np.isfinite(per_run), per_run, np.nan))
        return metrics.median(np.moveaxis(values, 1, 0).reshape(self.shape[1], -1))

    def replicate_means(self, per_run: Array) -> Array:
        """Return the mean of each replicate, shape (S, W, K), of values of runs, shape (R,).

        NaN values are left out; the mean of none is NaN.
        """
        s, w, _ = self.place.T
        total, count = np.zeros((2, *self.shape[:2], self.n_replicates))
        known = ~np.isnan(per_run)
        index = (s[known], w[known], self.replicate[known])
        np.add.at(total, index, per_run[known])
        np.add.at(count, index, 1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    @cached_property
    def replicate_counts(self) -> Array:
        """Number of evaluation runs of each replicate, shape (S, W, K)."""
        s, w, _ = self.place.T
        count = np.zeros((*self.shape[:2], self.n_replicates))
        np.add.at(count, (s, w, self.replicate), 1)
        return count

    @cached_property
    def seed_clusters(self) -> list[int]:
        """Cluster of each workload: workloads that share a seed are in the same one.

        Runs of one seed share initial weights and batches, so their results depend on one another.
        Studies with replicates have other seeds on every workload.
        """
        cluster = list(range(len(self.workloads)))
        first: dict[int, int] = {}
        for w, seeds in enumerate(self.seeds_of):
            for seed in seeds:
                old, new = cluster[w], cluster[first.setdefault(seed, w)]
                if old != new:
                    cluster = [new if c == old else c for c in cluster]
        return cluster

    # -- curves -------------------------------------------------------------------------------

    @cached_property
    def _stacked(self) -> dict[str, Array]:
        """Columns of all curves, shape (R, G), NaN after the end; each curve is read once."""
        names = ("val_loss", "train_loss", *COLUMN_OF.values())
        stacked = stack([run.curve for run in self.runs], names, least=2)
        return dict(zip(names, stacked, strict=True))

    @property
    def val(self) -> Array:
        """Validation loss along every run."""
        return self._stacked["val_loss"]

    @property
    def train(self) -> Array:
        """Training loss along every run."""
        return self._stacked["train_loss"]

    @property
    def unmoved(self) -> Array:
        """Whether no loss of a run ever changed: nothing was trained; shape (R,)."""
        losses = np.stack([self.train, self.val])
        same = (losses == losses[:, :, :1]) | np.isnan(losses)
        unmoved: Array = same.all(axis=(0, 2)) & ~self.lost
        return unmoved

    @property
    def costs(self) -> dict[CostAxis, Array]:
        """Cost along every run, on each axis."""
        return {axis: self._stacked[COLUMN_OF[axis]] for axis in COST_AXES}

    # -- final values -------------------------------------------------------------------------

    def _final(self, values: Array, lost: float = math.inf) -> Array:
        return self.spread(np.where(self.lost | np.isnan(values), lost, values))

    @cached_property
    def val_loss(self) -> Array:
        """Final validation loss, shape (S, W, n)."""
        return self._final(np.array([r.final("val_loss") for r in self.runs]))

    @cached_property
    def train_loss(self) -> Array:
        """Final training loss, shape (S, W, n)."""
        return self._final(np.array([r.final("train_loss") for r in self.runs]))

    @cached_property
    def test_loss(self) -> Array:
        """Final test loss, shape (S, W, n)."""
        return self._final(np.array([r.test_loss for r in self.runs]))

    @cached_property
    def test_metric(self) -> Array:
        """Test accuracy or R squared, shape (S, W, n); minus infinity for a lost run."""
        return self._final(np.array([r.test_metric for r in self.runs]), -math.inf)

    @cached_property
    def lost_runs(self) -> Array:
        """1 for a lost run, 0 for another, shape (S, W, n)."""
        return self.spread(self.lost.astype(float))

    @cached_property
    def initial_loss(self) -> Array:
        """Median validation loss before training on each workload, shape (W,); NaN if unknown."""
        return self.workload_medians(self.val[:, 0])

    @cached_property
    def trials(self) -> dict[tuple[int, int], Trials]:
        """(s, w) -> tuning, for every cell that was tuned."""
        return {
            place: _read_trials(cell) for place, cell in self.cells.items() if len(cell.trials) > 1
        }


def _read_trials(cell: Cell) -> Trials:
    rate = cell.entrant.rate
    lrs = [_lr(t.hyper.get(rate)) for t in cell.trials]
    first = {**cell.trials[0].hyper, rate: 0}
    results = [r for t in cell.trials for r in t.runs]
    return Trials(
        lr=np.array(lrs),
        loss=np.array([trial_loss(t) for t in cell.trials]),
        only_lr=not any(map(math.isnan, lrs))
        and all({**t.hyper, rate: 0} == first for t in cell.trials),
        is_drawn=np.array(
            [not (t.is_default or t.is_widened or t.is_refined) for t in cell.trials]
        ),
        runs=len(results),
        diverged=sum(map(is_lost, results)),
    )


def _lr(value: Value | None) -> float:
    """Return a number, or NaN for anything else that a stored study may contain."""
    if isinstance(value, int | float) and abs(value) <= sys.float_info.max:
        return float(value)
    return math.nan
