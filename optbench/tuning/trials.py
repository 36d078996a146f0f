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

EDGE_SHARE = 0.1
"""Share of a range, at either end, that counts as its edge."""
EDGE_GAIN = 0.01
"""A trial at the edge counts when its loss is lower than the best inside by this share."""


def final_loss(result: RunResult) -> float:
    """Return the final validation loss; infinite unless the run ended well."""
    loss = result.final("val_loss") if result.status == Status.OK else math.inf
    return loss if math.isfinite(loss) else math.inf


def trial_loss(trial: Trial) -> float:
    """Return the median final validation loss over the tuning seeds; infinite if it diverged."""
    return _median([final_loss(result) for result in trial.results])


def trial_time(trial: Trial, target: float) -> float:
    """Return the median over the tuning seeds of the examples needed to reach the target."""
    times = [
        float(time_to_target(r.curve["examples"], r.curve["val_loss"], target))
        if r.status == Status.OK
        else math.inf
        for r in trial.results
    ]
    return _median(times)


def time_to_target(cost: npt.ArrayLike, loss: npt.ArrayLike, target: npt.ArrayLike) -> Array:
    """Return the least cost at which the loss stays at or below the target for two evaluations.

    Args:
        cost: Shape (..., evaluations); several costs of one loss may stand before it.
        loss: Validation loss, the same shape except for several costs.
        target: Broadcasts against the leading axes of the loss.

    Returns:
        Shape (...); infinity where the target was missed. The last evaluation cannot confirm
        itself.
    """
    cost, loss = np.asarray(cost, dtype=float), np.asarray(loss, dtype=float)
    if loss.shape[-1] < 2:
        return np.full(cost.shape[:-1], np.inf)
    below = loss <= np.asarray(target, dtype=float)[..., None]
    confirmed = below[..., :-1] & below[..., 1:]
    first = np.broadcast_to(np.argmax(confirmed, axis=-1), cost.shape[:-1])
    cost_at_first = np.take_along_axis(cost, first[..., None], axis=-1)[..., 0]
    return np.where(confirmed.any(axis=-1), cost_at_first, np.inf)


def select_trial(
    trials: Sequence[Trial], by: str = "val_loss", target: float | None = None
) -> Trial:
    """Return the best trial by its validation data; the earlier one wins a tie.

    Args:
        trials: At least one.
        by: ``"val_loss"``, or ``"time"``: examples to the target, with ties (such as trials that
            miss the target) broken by validation loss.
        target: Validation loss to reach, for ``"time"``.

    Raises:
        ConfigError: No trials, or ``"time"`` without a target.
    """
    if not trials:
        raise ConfigError("nothing to select from: no trials")
    if by == "time" and target is None:
        raise ConfigError("select=time needs a target for this dataset and network; none is known")
    keys = [
        (trial_time(t, target) if by == "time" and target is not None else 0.0, trial_loss(t), i)
        for i, t in enumerate(trials)
    ]
    return trials[min(keys)[-1]]


def find_edges(
    space: SearchSpace, trials: Sequence[Trial], best: Trial, widened: Sequence[Edges] = ()
) -> dict[str, str]:
    """Return the hyperparameters for which the best trial lies at the edge of the range.

    It does when it lies in the outer tenth, in the search coordinate; its loss is lower by over 1%
    than that of every trial further inside (otherwise the hyperparameter does not matter there);
    and valid values continue beyond the range.

    Args:
        space: What is tuned.
        trials: All trials so far.
        best: The one selected.
        widened: The edges found before each earlier widening.

    Returns:
        Name -> ``"low"`` or ``"high"``; empty when there is no edge, or when every trial diverged.
    """
    lowest = trial_loss(best)
    if not math.isfinite(lowest):
        return {}
    edges = {}
    for dimension in space.dimensions(widened):
        inside = [
            trial_loss(trial)
            for trial in trials
            if EDGE_SHARE <= dimension.position(trial.hyper) <= 1 - EDGE_SHARE
        ]
        if min(inside, default=math.inf) * (1 - EDGE_GAIN) <= lowest:
            continue
        position = dimension.position(best.hyper)
        side = "low" if position < EDGE_SHARE else "high" if position > 1 - EDGE_SHARE else ""
        if side and dimension.widen(side) != dimension:
            edges[dimension.name] = side
    return edges


def _median(values: Sequence[float]) -> float:
    """Return the median of a few numbers; NumPy's takes far longer, and trials are many."""
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else math.inf
