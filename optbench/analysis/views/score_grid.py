"""Optimizer x workload: every score of the study, in the order of the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optbench.analysis.board_rows import Number, WorkloadRow
from optbench.analysis.leaderboard import Leaderboard
from optbench.contracts import Array
from optbench.records import Workload


@dataclass(frozen=True)
class ScoreGrid:
    """Scores of the test loss of S entrants on W workloads.

    Attributes:
        labels: Entrants, best first, as on the ``final-loss`` board.
        workloads: Workloads, the one with the highest mean score first.
        scores: Score of each entrant on each workload, shape (S, W); NaN if it was not evaluated.
        lost: Share of evaluation runs that diverged or failed, shape (S, W); NaN likewise.
    """

    labels: tuple[str, ...]
    workloads: tuple[Workload, ...]
    scores: Array
    lost: Array


def score_grid(board: Leaderboard) -> ScoreGrid:
    """Return the scores of a leaderboard, with entrants and workloads in order."""
    scores = _table(board, lambda row: row.score.value)
    lost = _table(board, lambda row: row.divergence.rate)
    known = ~np.isnan(scores)
    means = np.where(known, scores, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    order = np.argsort(-means, kind="stable")
    return ScoreGrid(
        labels=tuple(row.label for row in board.overall),
        workloads=tuple(board.workloads[i].workload for i in order),
        scores=scores[:, order],
        lost=lost[:, order],
    )


def _table(board: Leaderboard, value: Callable[[WorkloadRow], Number]) -> Array:
    """Return a value of each row, by entrant and workload, in the order of the leaderboard."""
    columns = [{row.label: value(row) for row in each.rows} for each in board.workloads]
    cells = [[column.get(row.label) for column in columns] for row in board.overall]
    return np.array(cells, dtype=float)  # None becomes NaN
