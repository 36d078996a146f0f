"""What tuning was worth: the expected best of the first k trials."""

from __future__ import annotations

import numpy as np

from optbench.analysis.grouping import indices_by_key
from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.scoring import frozen_score
from optbench.analysis.study_arrays import StudyArrays, Trials
from optbench.analysis.view_records import Budget
from optbench.contracts import Array


def budget_curves(study: StudyArrays, budget: int, guess: Array, best: Array) -> tuple[Budget, ...]:
    """Return the expected best of k trials, for each workload and on average.

    Only points of the declared range count: those of a widened range were drawn differently, and
    the default configuration was not drawn at all. A trial that diverged counts as the initial loss
    and as score 0. The points of all replicates are used, for up to `budget` trials.

    Args:
        study: The runs.
        budget: Number of trials.
        guess: Validation loss of guessing on each workload, shape (W,).
        best: Best known validation loss on each workload, shape (W,).
    """
    if not study.trials:
        return ()
    places = np.array(list(study.trials))
    trials = [_drawn_losses(t, budget) for t in study.trials.values()]
    losses: dict[int, Array] = {}
    scores: dict[int, Array] = {}
    for group in indices_by_key(map(len, trials)):
        loss, w = np.array([trials[i] for i in group]), places[group, 1]
        start = study.initial_loss[w]
        score = frozen_score(loss, guess[w][:, None], best[w][:, None])
        best_losses = _expected_best(np.minimum(loss, start[:, None]), budget)
        losses.update(zip(group, best_losses, strict=True))
        scores.update(zip(group, -_expected_best(-score, budget), strict=True))
    budgets = [
        Budget(
            label=study.labels[s],
            workload=study.workload_labels[w],
            loss=tuple(losses[i].tolist()),
            score=tuple(scores[i].tolist()),
        )
        for i, (s, w) in enumerate(study.trials)
    ]
    groups = indices_by_key(places[:, 0].tolist())
    means = [
        _mean_budget(study.labels[places[group[0], 0]], [scores[i] for i in group])
        for group in sorted(groups, key=lambda group: places[group[0], 0])
    ]
    return (*means, *budgets)


def _drawn_losses(trials: Trials, budget: int) -> Array:
    """Return the losses of the points of the declared range.

    Studies from before replicates do not say which trials those are; they come first.
    """
    losses = trials.loss[trials.is_drawn]
    return losses if not trials.is_drawn.all() else losses[: max(budget, 2)]


def _expected_best(losses: Array, budget: int) -> Array:
    """Return `metrics.expected_best` of each row, rounded as for a single row.

    Curves end at `budget` trials, also where several replicates have more.
    """
    return metrics.expected_best(losses[:, None])[:, 0, : max(budget, 2)]


def _mean_budget(label: str, curves: list[Array]) -> Budget:
    length = min(len(curve) for curve in curves)
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    return Budget(label=label, workload="", loss=(), score=tuple(mean.tolist()))
