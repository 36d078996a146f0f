"""What of a large study is drawn: nobody looks at 300 panels, and no browser likes to hold them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell, Workload
from optbench.records.stored_curves import load_curves

MOST_WORKLOADS = 36
"""So many are all shown one by one, in plots, page and Markdown; of more, an excerpt is."""
EXCERPT = 18
"""Workloads in an excerpt, or more where one problem of each dataset has more."""


def excerpt(board: Leaderboard, cells: Sequence[Cell]) -> tuple[Leaderboard, list[Cell]]:
    """The study with so many workloads that each can be shown; what is over all of them stays.

    There is a problem of every dataset, as long as they fit, and each in all of its regimes. Which
    problems of a dataset are taken is a draw that is always the same. A caution says so.
    """
    if len(board.workloads) <= MOST_WORKLOADS:
        return board, list(cells)
    every = board.workloads
    drawn = _draw([b.workload for b in every])
    kept = [b for b in every if _problem(b.workload) in drawn]
    labels = {b.label for b in kept}
    there, of = (len({b.workload.dataset for b in part}) for part in (kept, every))
    note = (
        f"{len(kept)} of {len(every)} workloads are shown one by one, from {there} of {of} "
        "datasets; scores and places are over all, which leaderboard.csv and leaderboard.json hold"
    )
    shown = msgspec.structs.replace(
        board,
        workloads=tuple(kept),
        budgets=tuple(b for b in board.budgets if not b.workload or b.workload in labels),
        lr_curves=tuple(c for c in board.lr_curves if c.workload in labels),
        regimes=tuple(view for view in board.regimes if view.label in drawn),
        bias_variance=tuple(e for e in board.bias_variance if e.workload in labels),
        warnings=(note, *board.warnings),
    )
    return shown, [cell for cell in cells if cell.workload.label in labels]


def with_curves(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with the curves they are judged on in memory: every part of a report reads them."""
    read = iter(load_curves([run.curve for cell in cells for run in cell.evaluation]))
    return [
        replace(cell, evaluation=tuple(replace(run, curve=next(read)) for run in cell.evaluation))
        for cell in cells
    ]


def _problem(workload: Workload) -> str:
    """What its regimes have in common, as the label of a `RegimeView` spells it."""
    return " | ".join((workload.dataset, workload.network, workload.initialization))


def _draw(workloads: Sequence[Workload]) -> set[str]:
    """The problems in an excerpt, from each dataset in turn at random."""
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
