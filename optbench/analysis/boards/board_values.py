"""What the four boards compare: one value for each entrant, workload and replicate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from optbench.analysis.board_records import FLOORS
from optbench.analysis.boards.score_scales import Scales
from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.scoring import HIGHEST_SCORE, frozen_score
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.records import BoardName, Cell, Criteria, RunResult
from optbench.tuning.trials import first_held, selection_loss

MISSED = 2.0
"""Cost that counts for a run that misses the target, as a multiple of the budget."""

VALUE_RANGES: dict[BoardName, tuple[float, float]] = {
    "final-loss": (0.0, HIGHEST_SCORE),
    "training-loss": (0.0, HIGHEST_SCORE),
    "speed": (-math.log2(MISSED), math.inf),
    "stability": (-HIGHEST_SCORE, 1.0),
}
"""Lowest and highest value that is possible on each board; intervals are cut there."""


@dataclass(frozen=True)
class BoardValues:
    """The values of one board, higher is better.

    Attributes:
        name: Name of the board.
        quantity: What a value measures, in words.
        region: Half width of the region of practical equivalence.
        values: Shape (S, W, K), NaN where there is none.
        details: Further quantities that the board shows, each of shape (S, W, K).
        least_errors: Least standard error of each entrant's mean on some workloads (indices), as a
            function of the indices; None if the spread of the replicates says it all.
        from_study: Workloads whose scale is taken from this study, shape (W,).
        left_out: Which entrants have no value on some workloads (indices), whatever `values` says,
            as a function of the indices; None if there are none.
    """

    name: BoardName
    quantity: str
    region: float
    values: Array
    from_study: Array
    details: Mapping[str, Array] = field(default_factory=dict)
    least_errors: Callable[[Sequence[int]], Array] | None = None
    left_out: Callable[[Sequence[int]], Array] | None = None

    def on(self, columns: Sequence[int]) -> Array:
        """Return the values on some workloads, NaN for the entrants that are left out there.

        Args:
            columns: Indices of the workloads.
        """
        values = self.values[:, columns]
        if self.left_out is None:
            return values
        return np.where(self.left_out(columns)[:, None, None], np.nan, values)

    @property
    def is_above_floor(self) -> Array:
        """Whether a value is above the lowest one possible (`FLOORS`), shape (S, W, K)."""
        quantity, floor = FLOORS[self.name]
        values = self.values if quantity == "value" else self.details[quantity]
        return np.asarray(np.isfinite(values) & (values != floor))


def board_values(
    study: StudyArrays, scales: Scales, at_best: bool, criteria: Criteria | None = None
) -> tuple[BoardValues, ...]:
    """Return the values of the four boards.

    Args:
        study: The runs.
        scales: Losses between which scores lie, and targets.
        at_best: Whether the test part is read at the lowest validation loss, not at the end.
        criteria: Regions of practical equivalence, if they are not `REGIONS`.
    """
    criteria = criteria or Criteria()
    where = "at the lowest validation loss" if at_best else "at the end"
    per_run = _run_values(study, scales, at_best)
    lost = study.replicate_means(study.lost.astype(float))
    regret = _regret(study, scales, at_best)
    mean = {name: study.replicate_means(values) for name, values in per_run.items()}
    return (
        BoardValues(
            name="final-loss",
            quantity=f"score of the test loss {where}",
            region=criteria.region("final-loss"),
            values=mean["test"],
            from_study=scales.from_study["test"],
        ),
        BoardValues(
            name="training-loss",
            quantity="score of the training loss at the end",
            region=criteria.region("training-loss"),
            values=mean["train"],
            from_study=scales.from_study["train"],
        ),
        BoardValues(
            name="speed",
            quantity="-log2 of the examples to the target, as a share of the budget",
            region=criteria.region("speed"),
            values=mean["speed"],
            from_study=~np.array(scales.target_frozen, dtype=bool),
            details={"solved": mean["solved"]},
        ),
        BoardValues(
            name="stability",
            quantity="1 - share of lost runs - regret of an average trial",
            region=criteria.region("stability"),
            values=1 - lost - _comparable_regret(regret, lost),
            from_study=scales.from_study["val"],
            details={
                "lost": lost,
                "regret": regret,
                "seed_spread": _seed_spread(study, per_run["test"]),
            },
            least_errors=lambda columns: _rate_errors(study.lost_runs[:, columns]),
            left_out=lambda columns: (
                (_is_all(mean["test"][:, columns], 0.0) | _is_all(mean["train"][:, columns], 0.0))
                & ~_is_all(lost[:, columns], 1.0)
            ),
        ),
    )


# -- runs ----------------------------------------------------------------------------------------


def _run_values(study: StudyArrays, scales: Scales, at_best: bool) -> dict[str, Array]:
    """Return the values of every evaluation run by name, each of shape (R,).

    A run whose parameters never changed has score 0: it did not get anywhere from where it started.
    """
    w = study.place[:, 1]
    test = np.array([_test_loss(run, at_best) for run in study.runs])
    train = np.array([run.final("train_loss") for run in study.runs])
    test, train = (np.where(study.lost | np.isnan(loss), np.inf, loss) for loss in (test, train))
    test, train = (np.where(study.unmoved, np.inf, loss) for loss in (test, train))
    share = share_of_budget(study, scales.target[w])
    return {
        "test": frozen_score(test, scales.guess["test"][w], scales.best["test"][w]),
        "train": frozen_score(train, scales.guess["train"][w], scales.best["train"][w]),
        "speed": -np.log2(share),
        "solved": np.where(np.isnan(share), np.nan, (share < MISSED).astype(float)),
    }


def _test_loss(run: RunResult, at_best: bool) -> float:
    """Return the test loss that counts; runs stored before it was measured have that of the end."""
    return run.test_loss if not at_best or math.isnan(run.best_test_loss) else run.best_test_loss


def share_of_budget(study: StudyArrays, target: Array) -> Array:
    """Return the examples to the target / those of the budget, shape (R,); NaN without target.

    Args:
        study: The runs.
        target: Validation loss that each run has to reach, shape (R,). A run that misses it, or is
            lost, counts as `MISSED`.
    """
    cost, loss = study.costs["examples"], study.val
    with np.errstate(divide="ignore", invalid="ignore"):
        n_train = metrics.median(cost[:, 1:] / study.costs["epochs"][:, 1:])
    epochs = np.array([workload.epochs for workload in study.workloads], dtype=float)
    budget = (epochs * study.workload_medians(n_train))[study.place[:, 1]]
    share = np.where(study.lost, np.inf, crossing_cost(cost, loss, target)) / budget
    share = np.minimum(share, MISSED)
    return np.where(np.isnan(target) | np.isnan(budget), np.nan, share)


def crossing_cost(cost: Array, loss: Array, target: Array) -> Array:
    """Return the cost at which the loss falls to the target and is held there (see `first_held`).

    The log of the loss is interpolated between evaluations; nothing is sooner than the first
    evaluation after the start.

    Args:
        cost: Shape (R, evaluations), NaN after the end.
        loss: Validation loss, the same shape.
        target: Shape (R,).

    Returns:
        Shape (R,); infinite where the target was missed.
    """
    i, is_reached = first_held(loss, target)
    row = np.arange(len(loss))
    before = np.maximum(i - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        high, low = metrics.log_loss(loss[row, before]), metrics.log_loss(loss[row, i])
        part = np.where(i > 0, (high - metrics.log_loss(target)) / (high - low), 0.0)
        part = np.where(np.isfinite(part), np.clip(part, 0, 1), 1.0)
    crossing = cost[row, before] + part * (cost[row, i] - cost[row, before])
    return np.where(is_reached, np.maximum(crossing, cost[:, 1]), np.inf)


# -- cells ---------------------------------------------------------------------------------------


def _seed_spread(study: StudyArrays, score: Array) -> Array:
    """Return the SD of the score over the seeds of each replicate, shape (S, W, K)."""
    s, w, _ = study.place.T
    mean, count = study.replicate_means(score), study.replicate_counts
    square = study.replicate_means((score - mean[s, w, study.replicate]) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 1, np.sqrt(square * count / (count - 1)), np.nan)


def _rate_errors(lost_runs: Array) -> Array:
    """Return the binomial standard error of the share of lost runs of each entrant, shape (S,).

    One run more is counted on either side (Agresti & Caffo 2000), since a few runs without a loss
    do not show that none is ever lost.

    Args:
        lost_runs: 1 for a lost run, 0 for another, shape (S, W, n), NaN where there was none.
    """
    n = (~np.isnan(lost_runs)).sum(axis=(1, 2))
    rate = (np.nansum(lost_runs, axis=(1, 2)) + 1) / (n + 2)
    return np.asarray(np.sqrt(rate * (1 - rate) / np.maximum(n, 1)))


def _regret(study: StudyArrays, scales: Scales, at_best: bool) -> Array:
    """Return what an average trial scores below the chosen one, shape (S, W, K).

    Both are scores of validation losses on all tuning seeds of a trial. The average is over the
    trials of the search, widened ranges included; the default configuration and the trials beside
    the best one are left out. The regret is 0 where the chosen configuration is below the average,
    and NaN where nothing was tuned.
    """
    regret = np.full((*study.shape[:2], study.n_replicates), np.nan)
    for (s, w, r), cell in study.replicates.items():
        regret[s, w, r] = _cell_regret(
            cell, float(scales.guess["val"][w]), float(scales.best["val"][w]), at_best
        )
    return regret


def _comparable_regret(regret: Array, lost: Array) -> Array:
    """Return the regret that values are made of, shape (S, W, K).

    A fixed configuration has no regret to compare with that of a tuned one, so it is NaN beside
    one. It is 0 where no entrant was tuned, so that the values are 1 - the share of lost runs, and
    for an entrant of which no run was kept: its value is the lowest one in any case.
    """
    is_alone = ~np.isfinite(regret).any(axis=0)
    is_lost = _is_all(lost, 1.0)[:, None, None]
    return np.where(np.isnan(regret) & (is_alone | is_lost), 0.0, regret)


def _is_all(values: Array, floor: float) -> Array:
    """Return which entrants have values, (S, W, K), that are all `floor`; shape (S,)."""
    known = ~np.isnan(values)
    return np.asarray(known.any(axis=(1, 2)) & ((values == floor) | ~known).all(axis=(1, 2)))


def _cell_regret(cell: Cell, guess: float, best: float, at_best: bool) -> float:
    searched = [trial for trial in cell.trials if not (trial.is_default or trial.is_refined)]
    chosen = [trial for trial in cell.trials if dict(trial.hyper) == dict(cell.chosen or {})]
    if len(cell.trials) < 2 or not searched or not chosen:
        return math.nan
    by = "best_val_loss" if at_best else "val_loss"

    def score(runs: Sequence[RunResult]) -> float:
        losses = [selection_loss(run, by) for run in runs]
        return float(frozen_score(losses, guess, best).mean()) if losses else 0.0

    average = float(np.mean([score(trial.runs) for trial in searched]))
    return max(score(chosen[0].runs) - average, 0.0)
