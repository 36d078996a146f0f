"""Optimizer x initializer: the score of every combination."""

from __future__ import annotations

import numpy as np

from optbench.analysis.board_rows import Number
from optbench.analysis.statistics import metrics, scoring
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import Matrix
from optbench.contracts import Array


def initializer_matrix(study: StudyArrays) -> Matrix | None:
    """Return the matrix of optimizers and initializers, with one scale for all initializers.

    Unlike in the leaderboard, a score is relative to the best run over all initializers of a
    problem, and to the lowest initial loss among them, so that a bad initializer shows.
    """
    names = list(dict.fromkeys(w.initialization for w in study.workloads))
    if len(names) < 2:
        return None
    problems = [(w.dataset, w.network, w.regime, w.batch_size, w.epochs) for w in study.workloads]
    best, initial = scoring.best_losses(study.test_loss), study.initial_loss
    groups = {p: [i for i, q in enumerate(problems) if q == p] for p in dict.fromkeys(problems)}
    common_best = np.array([best[groups[p]].min() for p in problems])
    common_initial = np.array([np.nanmin(initial[groups[p]]) for p in problems])
    scores = scoring.score(study.test_loss, common_initial, common_best)
    columns = [
        [i for i, w in enumerate(study.workloads) if w.initialization == name] for name in names
    ]
    one = len(groups) == 1
    return Matrix(
        labels=tuple(study.labels),
        initializations=tuple(names),
        score=_cells(scores, columns, np.mean),
        loss=_cells(study.val_loss, columns, metrics.median if one else None),
        divergence=_cells(study.lost_runs, columns, np.mean),
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
