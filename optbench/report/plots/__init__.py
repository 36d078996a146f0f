"""Static plots of publication quality. The only part of optbench that imports matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import optbench.report.plots.backend  # noqa: F401  # before any other import of matplotlib
from optbench.analysis.leaderboard import Leaderboard
from optbench.records import REGIMES, Cell
from optbench.report.format.board_layout import select_boards
from optbench.report.format.highlights import highlights
from optbench.report.format.palette import Look, assign_looks, highlight
from optbench.report.format.panels import panels
from optbench.report.format.workload_titles import short_titles, view_titles
from optbench.report.plots.board_dots import draw_boards
from optbench.report.plots.convergence import draw_convergence
from optbench.report.plots.critical_difference import draw_critical_difference
from optbench.report.plots.initializer_heat_map import draw_initializer_heat_map
from optbench.report.plots.loss_sources import draw_loss_sources
from optbench.report.plots.lr_sensitivity import draw_lr_sensitivity
from optbench.report.plots.profile_curves import draw_profiles, drawn_profiles
from optbench.report.plots.rank_flips import draw_rank_flips
from optbench.report.plots.ranking_bars import draw_ranking
from optbench.report.plots.sheets import Sheet, write_plot
from optbench.report.plots.tuning_curves import draw_tuning_curves, mean_budgets

__all__ = ["Drawing", "drawings", "write_plot"]

MOST_PANELS = 12
"""Panels on one sheet; more workloads go on further sheets."""

Drawing = tuple[str, Callable[[], Sheet]]
"""Name of a sheet, which is its file name without the suffix, and the function that draws it."""

T = TypeVar("T")


def drawings(board: Leaderboard, cells: Sequence[Cell]) -> Iterator[Drawing]:
    """Yield every plot that the study has data for; the ranking comes first."""
    looks = assign_looks(row.label for row in board.overall)
    if select_boards(board.boards):
        yield "ranking", partial(draw_boards, board, looks)
    else:
        yield "ranking", partial(draw_ranking, board, looks)
    lit = highlight(looks, highlights(board))
    yield from _convergence(cells, lit)
    yield from _lr_sensitivity(board, lit)
    if drawn_profiles(board):
        yield "performance-profile", partial(draw_profiles, board, lit)
    if mean_budgets(board):
        yield "budget", partial(draw_tuning_curves, board, lit)
    if board.critical_difference is not None and not board.boards:
        cd = board.critical_difference
        yield "critical-difference", partial(draw_critical_difference, cd, looks)
    if board.regimes:
        views = sorted(board.regimes, key=lambda view: view.label)[:MOST_PANELS]
        yield "rank-flips", partial(draw_rank_flips, views, view_titles(views), lit)
    if board.matrix is not None:
        yield "optimizer-initializer", partial(draw_initializer_heat_map, board.matrix)
    if board.bias_variance:
        workloads = {b.label: b.workload for b in board.workloads}
        yield "bias-variance", partial(draw_loss_sources, board.bias_variance, workloads, looks)


def _convergence(cells: Sequence[Cell], looks: dict[str, Look]) -> Iterator[Drawing]:
    for regime, group in panels(cells).items():
        for suffix, page in _pages(group):
            yield f"convergence-{regime}{suffix}", partial(draw_convergence, regime, page, looks)


def _lr_sensitivity(board: Leaderboard, looks: dict[str, Look]) -> Iterator[Drawing]:
    with_curve = {curve.workload for curve in board.lr_curves}
    workloads = [b.workload for b in board.workloads if b.label in with_curve]
    for regime in REGIMES:
        titles = short_titles([w for w in workloads if w.regime == regime])
        for suffix, page in _pages(sorted(titles.items(), key=lambda item: item[1])):
            on_page = dict(page)
            curves = [curve for curve in board.lr_curves if curve.workload in on_page]
            draw = partial(draw_lr_sensitivity, regime, on_page, curves, looks)
            yield f"lr-sensitivity-{regime}{suffix}", draw


def _pages(items: Sequence[T]) -> Iterator[tuple[str, Sequence[T]]]:
    """Yield what goes on each sheet, and the end of its name, which is empty for the first."""
    for page, start in enumerate(range(0, len(items), MOST_PANELS)):
        yield f"-{page + 1}" if page else "", items[start : start + MOST_PANELS]
