"""Tuning: which configurations are tried, which one is chosen, and whether the range was too small.

Every entrant has the same number of trials, however many hyperparameters it has. The trials are
the first points of a scrambled Sobol sequence, which are also the first of any larger budget, so
raising a budget repeats no run. The default configuration is not among them: trials are then
exchangeable, which budget curves rest on, and no optimizer is helped by defaults that happen to
suit a suite; ``defaults`` is a ruleset of its own. A budget of 1 tunes nothing: the default it is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from optbench.contracts import Array, Optimizer, Value
from optbench.data.cache import kept_arrays
from optbench.errors import ConfigError
from optbench.records import RunResult, Status, Trial
from optbench.tuning.space import (
    Dimension,
    Edges,
    choice_dimensions,
    dimensions,
    scale_at,
    to_values,
    widen,
)

OUTER = 0.1
"""The outer tenth of a range, at either end, is its edge."""
EDGE_GAIN = 0.01
"""A trial at the edge counts when its loss is lower than the best inside by this share."""
_STREAM = 0x50B01
"""Keeps the stream of search points apart from those of training."""


def sobol_points(
    optimizer: Optimizer,
    given: Mapping[str, Value],
    ruleset: str,
    budget: int,
    seed: int = 0,
) -> list[dict[str, Value]]:
    """The configurations to try: every hyperparameter with its value.

    Args:
        optimizer: Rule or Stepper class.
        given: values fixed by the user, already checked; never tuned.
        ruleset: ``"defaults"``, ``"lr"`` or ``"full"``.
        budget: number of trials, at least 1.
        seed: of the scrambling; the same for all entrants, so that those who search one
            hyperparameter do so at the same places of their ranges.

    Returns:
        `budget` configurations, or the default alone when there is nothing to tune.

    Raises:
        ConfigError: the budget is below 1.
    """
    if budget < 1:
        raise ConfigError(f"budget={budget} is not allowed; a whole number >= 1")
    searched = dimensions(optimizer, given, ruleset)
    choices = choice_dimensions(optimizer, given, ruleset)
    if budget == 1 or not (searched or choices):
        return [to_values(optimizer, given, (), ())]
    points = _sobol(len(searched) + len(choices), budget, seed)
    return _configurations(optimizer, given, searched, choices, points)


def _configurations(
    optimizer: Optimizer,
    given: Mapping[str, Value],
    searched: Sequence[Dimension],
    choices: Mapping[str, tuple[str, ...]],
    points: Array,
) -> list[dict[str, Value]]:
    found = []
    for point in points.tolist():
        picked = {
            name: options[min(int(u * len(options)), len(options) - 1)]
            for (name, options), u in zip(choices.items(), point[len(searched) :], strict=True)
        }
        fixed = {**given, **picked}
        found.append(to_values(optimizer, fixed, searched, point[: len(searched)]))
    return found


@functools.lru_cache(maxsize=256)
def _sobol(n_dims: int, n: int, *seeds: int) -> Array:
    """The first n points of a scrambled Sobol sequence, shape (n, n_dims), in [0, 1).

    Kept on disk: the import of scipy.stats takes longer than all else in a study that is stored.
    """
    power = max(math.ceil(math.log2(n)), 0)

    def draw() -> list[Array]:
        from scipy.stats import qmc

        rng = np.random.default_rng([_STREAM, *(s % 2**32 for s in seeds)])
        return [qmc.Sobol(n_dims, scramble=True, seed=rng).random_base2(power)]

    versions = f"scipy{version('scipy')}-numpy{np.__version__}"
    name = "-".join(map(str, (versions, n_dims, power, *seeds)))
    return kept_arrays(f"sobol/{name}", draw)[0][:n]


def final_loss(result: RunResult) -> float:
    """Final validation loss; infinite unless the run ended well."""
    loss = result.final("val_loss") if result.status == Status.OK else math.inf
    return loss if math.isfinite(loss) else math.inf


def _median(values: Sequence[float]) -> float:
    """Median of a few numbers; NumPy's takes far longer, and a study has many trials."""
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else math.inf


def trial_loss(trial: Trial) -> float:
    """Median over the tuning seeds of the final validation loss; infinite when it diverged."""
    return _median([final_loss(result) for result in trial.results])


def time_to_target(cost: npt.ArrayLike, loss: npt.ArrayLike, target: npt.ArrayLike) -> Array:
    """Least cost at which the loss is at or below the target at two evaluations in a row.

    Args:
        cost: shape (..., evaluations), several costs of one loss before it.
        loss: validation loss, the same shape but for several costs.
        target: broadcasts against the leading axes of the loss.

    Returns:
        Shape (...); infinity where the target was missed. The last evaluation alone confirms
        nothing.
    """
    cost, loss = np.asarray(cost, dtype=float), np.asarray(loss, dtype=float)
    if loss.shape[-1] < 2:
        return np.full(cost.shape[:-1], np.inf)
    below = loss <= np.asarray(target, dtype=float)[..., None]
    twice = below[..., :-1] & below[..., 1:]
    first = np.broadcast_to(np.argmax(twice, axis=-1), cost.shape[:-1])
    at = np.take_along_axis(cost, first[..., None], axis=-1)[..., 0]
    return np.where(twice.any(axis=-1), at, np.inf)


def trial_time(trial: Trial, target: float) -> float:
    """Median over the tuning seeds of the examples needed to reach the target."""
    times = [
        float(time_to_target(r.curve["examples"], r.curve["val_loss"], target))
        if r.status == Status.OK
        else math.inf
        for r in trial.results
    ]
    return _median(times)


def select(trials: Sequence[Trial], by: str = "val_loss", target: float | None = None) -> Trial:
    """The best trial, on validation alone; the earlier one wins a tie.

    Args:
        trials: at least one.
        by: ``"val_loss"``, or ``"time"``: examples to the target, ties (such as targets that
            nobody reached) by validation loss.
        target: validation loss to reach, for ``"time"``.

    Raises:
        ConfigError: no trials, or ``"time"`` without a target.
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


def edge_of(
    trials: Sequence[Trial],
    best: Trial,
    optimizer: Optimizer,
    given: Mapping[str, Value],
    ruleset: str,
    widened: Sequence[Edges] = (),
) -> dict[str, str]:
    """The hyperparameters of which the best trial lies at the edge of the range.

    That is in the outer tenth, in the search coordinate, with a loss lower by over 1% than that of
    every trial further inside (else the hyperparameter does not matter there), and where the
    valid values do not end as well.

    Args:
        trials: all trials so far.
        best: the one selected.
        optimizer: Rule or Stepper class.
        given: values fixed by the user.
        ruleset: as for `sobol_points`.
        widened: what `edge_of` returned before each widening so far.

    Returns:
        Name -> ``"low"`` or ``"high"``; empty when all is well, or when every trial diverged.
    """
    lowest = trial_loss(best)
    if not math.isfinite(lowest):
        return {}
    found = {}
    for dimension in dimensions(optimizer, given, ruleset, widened):
        places = [_place(dimension, trial) for trial in trials]
        inside = [
            trial_loss(t) for t, u in zip(trials, places, strict=True) if OUTER <= u <= 1 - OUTER
        ]
        if min(inside, default=math.inf) * (1 - EDGE_GAIN) <= lowest:
            continue
        u = _place(dimension, best)
        side = "low" if u < OUTER else "high" if u > 1 - OUTER else ""
        if side and widen(dimension, side) != dimension:
            found[dimension.name] = side
    return found


def _place(dimension: Dimension, trial: Trial) -> float:
    """Where a trial lies in the (widened) range: 0 at its low, 1 at its high end."""
    value = float(trial.hyper[dimension.name])
    u = dimension.coordinate(value / scale_at(dimension.hyper, trial.hyper))
    return (u - dimension.low) / (dimension.high - dimension.low)


def widened_points(
    optimizer: Optimizer,
    given: Mapping[str, Value],
    ruleset: str,
    budget: int,
    seed: int,
    edges: Edges,
    widened: Sequence[Edges] = (),
) -> list[dict[str, Value]]:
    """More configurations to try, in the part by which the ranges at `edges` are extended.

    A range is extended by half of its declared width, as far as values are valid; the others are
    searched as before. There are half as many points as the budget (at least 2).

    Args:
        optimizer: Rule or Stepper class.
        given: values fixed by the user.
        ruleset: as for `sobol_points`.
        budget: the entrant's budget.
        seed: as for `sobol_points`.
        edges: what `edge_of` found now.
        widened: what it had found before each earlier widening.
    """
    before = dimensions(optimizer, given, ruleset, widened)
    searched = []
    for old in before:
        new = widen(old, edges.get(old.name, ""))
        if new.low < old.low:
            new = Dimension(new.hyper, new.scale, new.low, old.low)
        elif new.high > old.high:
            new = Dimension(new.hyper, new.scale, old.high, new.high)
        searched.append(new)
    if not searched or not any(d.name in edges for d in searched):
        return []
    choices = choice_dimensions(optimizer, given, ruleset)
    n_dims = len(searched) + len(choices)
    points = _sobol(n_dims, max(budget // 2, 2), seed, 1 + len(widened))
    return _configurations(optimizer, given, searched, choices, points)
