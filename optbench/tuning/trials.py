"""Trials: how good each one is, which one is chosen, and whether the range was too small."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from optbench.contracts import Array
from optbench.errors import ConfigError
from optbench.records import RunResult, Status, Trial
from optbench.tuning.space import Edges, SearchSpace

EDGE_SHARE = 0.125
"""Share of a range, at either end, that counts as its edge: one of the eight parts that the default
number of trials gives it."""
EDGE_GAIN = 0.01
"""A trial at the edge counts when its loss is lower than the best inside by this share."""
SOLVED = 1e-3
"""A loss below this share of the loss of guessing counts as solved; lower ones are not better."""
TINY = 1e-300
"""Smallest loss that has a logarithm."""


def is_lost(result: RunResult) -> bool:
    """Return whether a run diverged, failed, or ended without a finite validation loss."""
    return result.status != Status.OK or not math.isfinite(result.final("val_loss"))


def selection_loss(result: RunResult, by: str = "best_val_loss") -> float:
    """Return the validation loss by which a run is judged; infinite for a lost run.

    Args:
        result: The run.
        by: ``"val_loss"`` for the loss at the end; otherwise the lowest loss along the run.
    """
    if is_lost(result):
        return math.inf
    return result.final("val_loss") if by == "val_loss" else result.best("val_loss")


def trial_loss(trial: Trial, by: str = "val_loss") -> float:
    """Return the median of `selection_loss` over the tuning seeds of a trial.

    Args:
        trial: The trial; further seeds of a retest are not used, which only few trials have.
        by: As for `selection_loss`.
    """
    return _median([selection_loss(result, by) for result in trial.results])


def time_to_target(cost: npt.ArrayLike, loss: npt.ArrayLike, target: npt.ArrayLike) -> Array:
    """Return the least cost at which the target is reached and held, as `first_held` defines it.

    Args:
        cost: Shape (..., evaluations); several costs of one loss may stand before it.
        loss: Validation loss, the same shape except for several costs.
        target: Broadcasts against the leading axes of the loss.

    Returns:
        Shape (...); infinity where the target was missed, and for a curve of one evaluation.
    """
    cost, loss = np.asarray(cost, dtype=float), np.asarray(loss, dtype=float)
    if loss.shape[-1] < 2:
        return np.full(cost.shape[:-1], np.inf)
    first, is_reached = first_held(loss, target)
    first = np.broadcast_to(first, cost.shape[:-1])
    cost_at_first = np.take_along_axis(cost, first[..., None], axis=-1)[..., 0]
    return np.where(is_reached, cost_at_first, np.inf)


def first_held(loss: Array, target: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the first evaluation at or below the target that the next one confirms.

    A single dip below the target is noise. The last evaluation has no next one, and needs none: the
    run ends there, at the target.

    Args:
        loss: Validation loss, shape (..., evaluations), at least two; NaN after the end.
        target: Broadcasts against the leading axes of the loss.

    Returns:
        Its index, 0 where the target was missed, and whether the target was reached, each of shape
        (...).
    """
    below = loss <= np.asarray(target, dtype=float)[..., None]
    over = np.ones((*below.shape[:-1], 1), dtype=bool)
    held = below & np.concatenate([below[..., 1:] | np.isnan(loss[..., 1:]), over], axis=-1)
    return np.argmax(held, axis=-1), np.asarray(held.any(axis=-1))


class TrialRanking:
    """The trials of a cell, ranked by their validation data.

    A trial is judged by the mean over its runs of the log of `selection_loss`, a retest included,
    plus its standard deviation over them: near the largest stable rate, seeds differ widely before
    one of many is lost, which few tuning seeds do not show (tests/benchmarks/tuning_luck.py).
    A lost run counts as no progress: as its initial validation loss. A loss below `SOLVED` of the
    loss of guessing counts as that, so that a lost run outweighs decimals. Among equals, the trial
    with fewer lost runs is better, then the one with the lower loss, then the earlier one.

    With ``by="time"``, the mean of log2 of the examples to the target comes first. A miss costs
    twice the examples of a run, and nothing less than the first evaluation after the start.

    Args:
        trials: All trials of the cell, at least one.
        by: ``"best_val_loss"``, ``"val_loss"`` or ``"time"``.
        target: Validation loss to reach, for ``"time"``.

    Raises:
        ConfigError: No trials, or ``"time"`` without a target.
    """

    def __init__(
        self, trials: Sequence[Trial], by: str = "best_val_loss", target: float | None = None
    ) -> None:
        if not trials:
            raise ConfigError("nothing to select from: no trials")
        if by == "time" and target is None:
            raise ConfigError(
                "select=time needs a target for this dataset and network; none is known"
            )
        self._trials = trials
        self._by = by
        self._target = target if by == "time" else None
        runs = [run for trial in trials for run in trial.runs]
        starts = [start for run in runs if math.isfinite(start := _initial_loss(run))]
        self._start = max(starts, default=1.0)
        guesses = [run.guess_val_loss for run in runs if math.isfinite(run.guess_val_loss)]
        self._floor = max(SOLVED * (guesses[0] if guesses else min(starts, default=0.0)), TINY)
        self._budget = max((run.final("examples") for run in runs if run.curve.rows), default=1.0)

    def best_first(self, among: Sequence[Trial] | None = None) -> list[Trial]:
        """Return trials in their order, the best one first.

        Args:
            among: Some of the trials; all of them if None.
        """
        trials = self._trials if among is None else among
        keys = [(*self._key(trial), index) for index, trial in enumerate(trials)]
        return [trials[key[-1]] for key in sorted(keys)]

    def log_loss(self, trial: Trial) -> float:
        """Return the mean log loss of a trial on the seeds that every trial has."""
        losses = [selection_loss(run, self._by) for run in trial.results]
        return _mean(list(map(self._log_loss, trial.results, losses)))

    def _key(self, trial: Trial) -> tuple[float, float, int, float]:
        runs = trial.runs
        losses = [selection_loss(run, self._by) for run in runs]
        exact = [math.log(max(loss, TINY)) for loss in losses if loss < math.inf]
        return (
            0.0 if self._target is None else _mean([self._log_cost(run) for run in runs]),
            _steady_mean(list(map(self._log_loss, runs, losses))),
            len(runs) - len(exact),
            _mean(exact),
        )

    def _log_loss(self, run: RunResult, loss: float) -> float:
        """Return the log of a loss that counts as at most the initial one of its run."""
        start = _initial_loss(run)
        start = start if math.isfinite(start) else self._start
        return math.log(max(min(loss, start), self._floor))

    def _log_cost(self, run: RunResult) -> float:
        """Return log2 of the examples to the target."""
        assert self._target is not None
        examples = run.curve["examples"] if run.curve.rows else np.zeros(0)
        miss = 2 * self._budget
        if is_lost(run) or len(examples) < 2:
            return math.log2(max(miss, TINY))
        cost = float(time_to_target(examples, run.curve["val_loss"], self._target))
        return math.log2(max(min(cost, miss), float(examples[1]), TINY))


def find_edges(
    space: SearchSpace,
    ranking: TrialRanking,
    trials: Sequence[Trial],
    best: Trial,
    widened: Sequence[Edges] = (),
) -> dict[str, str]:
    """Return the hyperparameters for which the best trial lies at the edge of the range.

    It does when it lies in the outer eighth, in the search coordinate; its loss is lower by over 1%
    than that of every trial further inside (otherwise the hyperparameter does not matter there);
    and valid values continue beyond the range.

    Args:
        space: What is tuned.
        ranking: The ranking of the trials.
        trials: All trials so far.
        best: The one selected.
        widened: The edges found before each earlier widening.

    Returns:
        Name -> ``"low"`` or ``"high"``; empty when there is no edge, or when every run of the best
        trial was lost.
    """
    if all(map(is_lost, best.results)):
        return {}
    lowest = ranking.log_loss(best)
    edges = {}
    for dimension in space.dimensions(widened):
        position = dimension.position(best.hyper)
        side = "low" if position < EDGE_SHARE else "high" if position > 1 - EDGE_SHARE else ""
        if not side or dimension.widen(side) == dimension:
            continue
        inside = [
            ranking.log_loss(trial)
            for trial in trials
            if EDGE_SHARE <= dimension.position(trial.hyper) <= 1 - EDGE_SHARE
        ]
        if min(inside, default=math.inf) + math.log(1 - EDGE_GAIN) > lowest:
            edges[dimension.name] = side
    return edges


def _initial_loss(run: RunResult) -> float:
    """Return the validation loss before training; NaN if it was not evaluated."""
    return float(run.curve["val_loss"][0]) if run.curve.rows else math.nan


def _mean(values: Sequence[float]) -> float:
    """Return the mean of a few numbers; NumPy's takes far longer, and trials are many."""
    return math.fsum(values) / len(values) if values else math.inf


def _steady_mean(values: Sequence[float]) -> float:
    """Return the mean plus the standard deviation; only the mean of a single number."""
    mean = _mean(values)
    if len(values) < 2:
        return mean
    return mean + math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _median(values: Sequence[float]) -> float:
    """Return the median of a few numbers; NumPy's takes far longer, and trials are many."""
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else math.inf
