"""The sheets of each kind of plot of a study, and when a study has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.views.lr_profiles import lr_profiles
from optbench.analysis.views.regime_groups import regime_groups
from optbench.analysis.words.board_sentences import has_verdicts, headline_boards
from optbench.records import REGIMES, BoardName, Cell, Regime
from optbench.report.format.highlights import CROWD, highlights
from optbench.report.format.palette import Look, assign_looks, highlight
from optbench.report.format.panels import panels
from optbench.report.plots.board_dots import draw_boards
from optbench.report.plots.convergence import draw_convergence
from optbench.report.plots.critical_difference import draw_critical_difference
from optbench.report.plots.initializer_heat_map import draw_initializer_heat_map
from optbench.report.plots.loss_sources import draw_loss_sources
from optbench.report.plots.lr_sensitivity import draw_lr_sensitivity
from optbench.report.plots.pair_matrix import draw_pair_matrix
from optbench.report.plots.profile_curves import draw_profiles, drawn_profiles
from optbench.report.plots.regime_slopes import draw_regime_slopes
from optbench.report.plots.score_map import draw_score_map
from optbench.report.plots.sheets import Sheet
from optbench.report.plots.target_curves import draw_target_curves
from optbench.report.plots.tuning_curves import draw_tuning_curves, mean_budgets

Drawing = tuple[str, Callable[[], Sheet]]
"""Name of a sheet, which is its file name without the suffix, and the function that draws it."""

MOST_PANELS = 12
"""Workloads on one sheet; more go on further sheets."""
MOST_SMALL_PANELS = 60
"""Optimizers on one sheet of small panels."""

T = TypeVar("T")


@dataclass(frozen=True)
class PlotSource:
    """What plots are drawn from.

    Attributes:
        board: The leaderboard.
        cells: The cells it was built from.
        regime: Regime of the boards that are drawn; None for those of all regimes.
        name: The only board that is drawn; None for all of them.
    """

    board: Leaderboard
    cells: Sequence[Cell]
    regime: Regime | None = None
    name: BoardName | None = None

    @property
    def looks(self) -> dict[str, Look]:
        """Label -> look, every entrant in its color."""
        return assign_looks(row.label for row in self.board.overall)

    @property
    def boards(self) -> list[Board]:
        """The boards of the regime, or of the whole study."""
        every = self.board.boards
        if self.regime is None:
            return headline_boards(every)
        return select_boards(every, regime=self.regime)

    @property
    def lit(self) -> dict[str, Look]:
        """Label -> look; in a crowd, all but the best and the baseline are gray."""
        return highlight(self.looks, highlights(self.board))


def _ranking(source: PlotSource) -> Iterator[Drawing]:
    chosen = source.boards
    boards = [board for board in chosen if source.name in (None, board.name)]
    if boards:
        yield "ranking", partial(draw_boards, boards, source.looks, source.board.title)


def _score_map(source: PlotSource) -> Iterator[Drawing]:
    if len(source.board.overall) > 1:
        yield "score-map", partial(draw_score_map, source.board)


def _pairs(source: PlotSource) -> Iterator[Drawing]:
    boards = [b for b in source.boards if has_verdicts(b) and source.name in (None, b.name)]
    if boards and len(boards[0].rows) <= CROWD:
        yield "pairs", partial(draw_pair_matrix, boards)
    else:
        for board in boards:
            yield f"pairs-{board.name}", partial(draw_pair_matrix, [board])


def _regimes(source: PlotSource) -> Iterator[Drawing]:
    groups = regime_groups(source.board.boards, source.name or "final-loss")
    if groups is not None:
        yield "regimes", partial(draw_regime_slopes, groups, source.lit)


def _convergence(source: PlotSource) -> Iterator[Drawing]:
    for regime, group in panels(source.cells).items():
        for suffix, page in _pages(group, MOST_PANELS):
            draw = partial(draw_convergence, regime, page, source.lit)
            yield f"convergence-{regime}{suffix}", draw


def _lr_sensitivity(source: PlotSource) -> Iterator[Drawing]:
    order = [row.label for row in source.board.overall]
    for regime in REGIMES:
        labels = {b.label for b in source.board.workloads if b.workload.regime == regime}
        curves = [curve for curve in source.board.lr_curves if curve.workload in labels]
        profiles = lr_profiles(curves)
        in_order = [profiles[label] for label in order if label in profiles]
        n = len({curve.workload for curve in curves})
        for suffix, page in _pages(in_order, MOST_SMALL_PANELS):
            draw = partial(draw_lr_sensitivity, regime, page, n, source.looks)
            yield f"lr-sensitivity-{regime}{suffix}", draw


def _profiles(source: PlotSource) -> Iterator[Drawing]:
    if drawn_profiles(source.board):
        yield "performance-profile", partial(draw_profiles, source.board, source.lit)


def _ecdf(source: PlotSource) -> Iterator[Drawing]:
    distribution = source.board.target_distribution
    if distribution is not None:
        yield "ecdf", partial(draw_target_curves, distribution, source.lit)


def _budget(source: PlotSource) -> Iterator[Drawing]:
    if mean_budgets(source.board):
        yield "budget", partial(draw_tuning_curves, source.board, source.lit)


def _critical_difference(source: PlotSource) -> Iterator[Drawing]:
    cd = source.board.critical_difference
    if cd is not None:
        yield "critical-difference", partial(draw_critical_difference, cd, source.lit)


def _initializers(source: PlotSource) -> Iterator[Drawing]:
    if source.board.matrix is not None:
        yield "optimizer-initializer", partial(draw_initializer_heat_map, source.board.matrix)


def _loss_sources(source: PlotSource) -> Iterator[Drawing]:
    workloads = {b.label: b.workload for b in source.board.workloads}
    if source.board.bias_variance:
        entries = source.board.bias_variance
        yield "bias-variance", partial(draw_loss_sources, entries, workloads, source.lit)


DRAW: dict[str, Callable[[PlotSource], Iterator[Drawing]]] = {
    "ranking": _ranking,
    "score-map": _score_map,
    "pairs": _pairs,
    "regimes": _regimes,
    "convergence": _convergence,
    "lr-sensitivity": _lr_sensitivity,
    "performance-profile": _profiles,
    "ecdf": _ecdf,
    "budget": _budget,
    "critical-difference": _critical_difference,
    "optimizer-initializer": _initializers,
    "bias-variance": _loss_sources,
}
"""Kind -> function that yields its sheets, none if the study lacks the data."""


def _pages(items: Sequence[T], most: int) -> Iterator[tuple[str, Sequence[T]]]:
    """Yield what goes on each sheet, and the end of its name, which is empty for the first."""
    for page, start in enumerate(range(0, len(items), most)):
        yield f"-{page + 1}" if page else "", items[start : start + most]
