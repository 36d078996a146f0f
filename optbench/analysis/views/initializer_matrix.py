"""Optimizer x initializer: the score of every combination."""

from __future__ import annotations

import numpy as np

from optbench.analysis.board_rows import Number
from optbench.analysis.statistics import metrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import Matrix
from optbench.contracts import Array


def initializer_matrix(study: StudyArrays, scores: Array) -> Matrix | None:
    """Return the matrix of optimizers and initializers over the problems that all of them share.

    Args:
        study: The runs.
        scores: Values of the ``final-loss`` board, shape (S, W, K). Their scale does not depend on
            the initializer, so a bad one shows.

    Returns:
        The matrix; None with fewer than two initializers, or if no problem was trained with every
        one of them, since their columns would then differ by the problem too.
    """
    columns_of: dict[str, dict[object, int]] = {}  # initializer -> problem -> workload
    for i, w in enumerate(study.workloads):
        problem = (w.dataset, w.network, w.regime, w.batch_size, w.epochs)
        columns_of.setdefault(w.initialization, {})[problem] = i
    names = list(columns_of)
    shared = set.intersection(*map(set, columns_of.values()))
    if len(names) < 2 or not shared:
        return None
    columns = [sorted(columns_of[name][problem] for problem in shared) for name in names]
    one = len(shared) == 1
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
