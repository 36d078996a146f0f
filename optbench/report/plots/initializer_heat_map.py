"""Optimizer x initializer: a heat map of scores."""

from __future__ import annotations

import numpy as np

from optbench.analysis.view_records import Matrix
from optbench.report.plots.heat_map import Cells, draw_heat_map
from optbench.report.plots.sheets import Sheet

CELL_INCHES = (0.72, 0.42)


def draw_initializer_heat_map(matrix: Matrix) -> Sheet:
    """Draw the score in each cell, and the share of runs that diverged or failed."""
    return draw_heat_map(
        "Optimizer × initializer",
        "Mean score; darker is better. Below it: share of runs that diverged or failed, if any.",
        Cells(
            rows=matrix.labels,
            columns=matrix.initializations,
            scores=np.array(matrix.score, dtype=float),
            lost=np.array(matrix.divergence, dtype=float),
        ),
        CELL_INCHES,
    )
