"""An excerpt of a large study: readers and browsers cannot handle hundreds of panels."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell, Workload
from optbench.records.stored_curves import load_curves
from optbench.support.text import count

MOST_WORKLOADS = 36
"""Studies of up to this size are shown in full in plots, page and Markdown; larger ones in part."""
EXCERPT = 18
"""Workloads in an excerpt; more if one problem of each dataset has more."""


def excerpt(board: Leaderboard, cells: Sequence[Cell]) -> tuple[Leaderboard, list[Cell]]:
    """Return a study with few enough workloads to show each; results over all of them stay.

    It has a problem of every dataset, as long as they fit, and each in all of its regimes. The
    problems of a dataset are drawn at random, always the same ones. A caution says so.
    """
    if len(board.workloads) <= MOST_WORKLOADS:
        return board, list(cells)
    problems = _draw([b.workload for b in board.workloads])
    chosen = [b for b in board.workloads if _problem(b.workload) in problems]
    labels = {b.label for b in chosen}
    part, total = (len({b.workload.dataset for b in bs}) for bs in (chosen, board.workloads))
    note = (
        f"{len(chosen)} of {len(board.workloads)} workloads are shown individually, "
        f"from {part} of {count(total, 'dataset')}; "
        "scores and places are over all, which leaderboard.csv and leaderboard.json list"
    )
    reduced = msgspec.structs.replace(
        board,
        workloads=tuple(chosen),
        budgets=tuple(b for b in board.budgets if not b.workload or b.workload in labels),
        lr_curves=tuple(c for c in board.lr_curves if c.workload in labels),
        regimes=tuple(view for view in board.regimes if view.label in problems),
        bias_variance=tuple(e for e in board.bias_variance if e.workload in labels),
        warnings=(note, *board.warnings),
    )
    return reduced, [cell for cell in cells if cell.workload.label in labels]


def with_curves(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells with the curves of their evaluation runs in memory."""
    read = iter(load_curves([run.curve for cell in cells for run in cell.evaluation]))
    return [
        replace(cell, evaluation=tuple(replace(run, curve=next(read)) for run in cell.evaluation))
        for cell in cells
    ]


def _problem(workload: Workload) -> str:
    """Return what its regimes share, spelled like the label of a `RegimeView`."""
    return " | ".join((workload.dataset, workload.network, workload.initialization))


def _draw(workloads: Sequence[Workload]) -> set[str]:
    """Draw the problems of an excerpt, from each dataset in turn."""
    sizes: dict[str, int] = {}
    datasets: dict[str, list[str]] = {}
    for workload in workloads:
        problem = _problem(workload)
        if problem not in sizes:
            datasets.setdefault(workload.dataset, []).append(problem)
        sizes[problem] = sizes.get(problem, 0) + 1
    for problems in datasets.values():
        problems.sort(key=lambda problem: zlib.crc32(problem.encode()), reverse=True)
    drawn: set[str] = set()
    size, most = 0, MOST_WORKLOADS  # first one problem of each dataset, then more of them
    while any(datasets.values()):
        for problems in datasets.values():
            if problems and size + sizes[problems[-1]] <= most:
                size += sizes[problems[-1]]
                drawn.add(problems.pop())
            else:
                problems.clear()
        most = EXCERPT
    return drawn or {next(iter(sizes))}
