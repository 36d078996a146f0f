"""Optimizer x workload: a heat map of scores, ordered by both."""

from __future__ import annotations

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.views.score_grid import score_grid
from optbench.analysis.words.board_text import best_loss_text
from optbench.report.format.workload_titles import titles_by_regime
from optbench.report.plots.heat_map import Cells, draw_heat_map
from optbench.report.plots.sheets import Sheet

CELL_INCHES = (0.42, 0.2)


def draw_score_map(board: Leaderboard) -> Sheet:
    """Draw the score of each optimizer on each workload."""
    grid = score_grid(board)
    titles = titles_by_regime(grid.workloads)
    return draw_heat_map(
        "Optimizer × workload",
        f"Score of the test loss, from guessing (0) to {best_loss_text(board.workloads)} (1); "
        "darker is better.\nRows: best first, as on the board of the final loss. Columns: the "
        "workload with the highest mean first. Cross: some runs diverged or failed.",
        Cells(
            rows=grid.labels,
            columns=[titles[workload.label] for workload in grid.workloads],
            scores=grid.scores,
            lost=grid.lost,
        ),
        CELL_INCHES,
    )
