"""Static plots of publication quality. The only part of optbench that imports matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import optbench.report.plots.backend  # noqa: F401  # before any other import of matplotlib
from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell
from optbench.report.plots.sheets import write_plot
from optbench.report.plots.study_sheets import DRAW, Drawing, PlotSource

__all__ = ["Drawing", "drawings", "write_plot"]


def drawings(board: Leaderboard, cells: Sequence[Cell]) -> Iterator[Drawing]:
    """Yield every plot that the study has data for; the ranking comes first."""
    source = PlotSource(board, cells)
    for draw in DRAW.values():
        yield from draw(source)
