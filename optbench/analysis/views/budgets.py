"""Other views of the same runs: budget curves, lr curves, optimizer x initializer."""

from __future__ import annotations

import numpy as np

from optbench.analysis.board_rows import Number, number
from optbench.analysis.statistics import metrics, scoring
from optbench.analysis.statistics.hypothesis_tests import alike
from optbench.analysis.study_arrays import Table
from optbench.analysis.view_records import Budget, LearningRateCurve, Matrix
from optbench.contracts import Array


def budget_curves(table: Table, budget: int) -> tuple[Budget, ...]:
    """What tuning brought: the expected best of k trials, per workload and on average.

    Of the trials the first `budget` count; those of a widened range were not drawn like the
    others. A trial that diverged counts as the initial loss and as score 0.
    """
    if not table.trials:
        return ()
    best = np.minimum(scoring.best_losses(table.val_loss), _best_trials(table))
    places = np.array(list(table.trials))
    trials = [t.loss[: max(budget, 2)] for t in table.trials.values()]
    losses: dict[int, Array] = {}
    scores: dict[int, Array] = {}
    for group in alike(map(len, trials)):
        loss, w = np.array([trials[i] for i in group]), places[group, 1]
        start = table.initial_loss[w]
        score = scoring.score(loss[None], start, best[w])[0]
        losses.update(zip(group, _expected_best(np.minimum(loss, start[:, None])), strict=True))
        scores.update(zip(group, -_expected_best(-score), strict=True))
    found = [
        Budget(
            label=table.labels[s],
            workload=table.workload_labels[w],
            loss=tuple(losses[i].tolist()),
            score=tuple(scores[i].tolist()),
        )
        for i, (s, w) in enumerate(table.trials)
    ]
    means = [
        _mean_budget(table.labels[places[group[0], 0]], [scores[i] for i in group])
        for group in sorted(alike(places[:, 0].tolist()), key=lambda group: places[group[0], 0])
    ]
    return (*means, *found)


def _expected_best(losses: Array) -> Array:
    """`metrics.expected_best` of each row, rounded as it rounds a single one."""
    return metrics.expected_best(losses[:, None])[:, 0]


def _best_trials(table: Table) -> Array:
    best = np.full(len(table.workloads), np.inf)
    for (_, w), trials in table.trials.items():
        best[w] = min(best[w], float(trials.loss.min()))
    return best


def _mean_budget(label: str, curves: list[Array]) -> Budget:
    length = min(len(curve) for curve in curves)
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    return Budget(label=label, workload="", loss=(), score=tuple(mean.tolist()))


def lr_curves(table: Table) -> tuple[LearningRateCurve, ...]:
    """Each tuned cell's trials against their lr; optimizers without lr have none."""
    found = []
    for (s, w), trials in table.trials.items():
        if np.isnan(trials.lr).any():
            continue
        order = np.argsort(trials.lr, kind="stable")
        chosen = (table.cells[s, w].chosen or {}).get("lr")
        found.append(
            LearningRateCurve(
                label=table.labels[s],
                workload=table.workload_labels[w],
                lr=tuple(trials.lr[order].tolist()),
                loss=tuple(trials.loss[order].tolist()),
                chosen=None if chosen is None else float(chosen),
                initial_loss=number(table.initial_loss[w]),
                only_lr=trials.only_lr,
            )
        )
    return tuple(found)


def initializer_matrix(table: Table) -> Matrix | None:
    """Optimizer x initializer, with one yardstick for all initializers of a problem.

    Unlike in the leaderboard, the score is spanned by the best run over all initializers and by
    the lowest initial loss among them, so that a bad initializer shows.
    """
    names = list(dict.fromkeys(w.initialization for w in table.workloads))
    if len(names) < 2:
        return None
    problems = [(w.dataset, w.network, w.regime, w.batch_size, w.epochs) for w in table.workloads]
    best, initial = scoring.best_losses(table.test_loss), table.initial_loss
    groups = {p: [i for i, q in enumerate(problems) if q == p] for p in dict.fromkeys(problems)}
    common_best = np.array([best[groups[p]].min() for p in problems])
    common_initial = np.array([np.nanmin(initial[groups[p]]) for p in problems])
    scores = scoring.score(table.test_loss, common_initial, common_best)
    columns = [
        [i for i, w in enumerate(table.workloads) if w.initialization == name] for name in names
    ]
    one = len(groups) == 1
    return Matrix(
        labels=tuple(table.labels),
        initializations=tuple(names),
        score=_cells(scores, columns, np.mean),
        loss=_cells(table.val_loss, columns, metrics.median if one else None),
        divergence=_cells(table.lost_runs, columns, np.mean),
    )


def _cells(
    values: Array, columns: list[list[int]], summary: object
) -> tuple[tuple[Number, ...], ...]:
    rows = []
    for own in values:
        row: list[Number] = []
        for column in columns:
            known = own[column][~np.isnan(own[column])]
            row.append(float(summary(known)) if callable(summary) and known.size else None)
        rows.append(tuple(row))
    return tuple(rows)
