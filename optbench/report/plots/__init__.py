"""Static plots of publication quality. The only part of optbench that imports matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import REGIMES, Cell
from optbench.report.format.palette import Look, assign_looks
from optbench.report.format.panels import panels
from optbench.report.format.workload_titles import short_titles, view_titles
from optbench.report.plots import convergence as curves
from optbench.report.plots import figures as base
from optbench.report.plots import maps, overview

MOST_PANELS = 12
"""Panels on one sheet; more workloads go on further sheets."""

Drawing = tuple[str, Callable[[], base.Sheet]]


def write_plot(draw: Callable[[], base.Sheet], stem: Path, formats: Sequence[str]) -> list[Path]:
    """Draw one sheet, save it once for each format, and return the paths of the files."""
    with base.style():
        sheet = draw()
        paths = sheet.save(stem, formats)
        sheet.close()
    return paths


def drawings(board: Leaderboard, cells: Sequence[Cell]) -> Iterator[Drawing]:
    """File name without suffix, and the function that draws it; the ranking comes first."""
    seen = assign_looks(row.label for row in board.overall)
    yield "ranking", lambda: overview.ranking(board, seen)
    yield from _convergence(cells, seen)
    yield from _sensitivity(board, seen)
    if any(p.rho for p in board.profiles if p.axis in ("examples", "seconds")):
        yield "performance-profile", lambda: overview.profiles(board, seen)
    if any(b.score for b in board.budgets if not b.workload):
        yield "budget", lambda: overview.budget(board, seen)
    if board.critical_difference is not None:
        cd = board.critical_difference
        yield "critical-difference", lambda: maps.critical_difference(cd, seen)
    if board.regimes:
        views = sorted(board.regimes, key=lambda view: view.label)[:MOST_PANELS]
        yield "rank-flips", lambda: overview.rank_flips(views, view_titles(views), seen)
    if board.matrix is not None:
        matrix = board.matrix
        yield "optimizer-initializer", lambda: maps.heat_map(matrix)
    if board.bias_variance:
        places = {b.label: b.workload for b in board.workloads}
        yield "bias-variance", lambda: maps.bias_variance(board.bias_variance, places, seen)


def _convergence(cells: Sequence[Cell], seen: dict[str, Look]) -> Iterator[Drawing]:
    for regime, group in panels(cells).items():
        for page, start in enumerate(range(0, len(group), MOST_PANELS)):
            part = group[start : start + MOST_PANELS]
            name = f"convergence-{regime}" + (f"-{page + 1}" if page else "")
            yield name, lambda r=regime, p=part: curves.convergence(r, p, seen)  # type: ignore[misc]


def _sensitivity(board: Leaderboard, seen: dict[str, Look]) -> Iterator[Drawing]:
    with_curve = {c.workload for c in board.lr_curves}
    for regime in REGIMES:
        known = [b.workload for b in board.workloads if b.label in with_curve]
        titles = short_titles([w for w in known if w.regime == regime])
        ordered = sorted(titles.items(), key=lambda item: item[1])
        for page, start in enumerate(range(0, len(ordered), MOST_PANELS)):
            part = dict(ordered[start : start + MOST_PANELS])
            curves_of_part = [c for c in board.lr_curves if c.workload in part]
            name = f"lr-sensitivity-{regime}" + (f"-{page + 1}" if page else "")
            yield name, lambda r=regime, p=part, c=curves_of_part: curves.sensitivity(r, p, c, seen)  # type: ignore[misc]
