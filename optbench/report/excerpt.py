"""What of a large study is drawn: nobody looks at 300 panels, and no browser likes to hold them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell, Workload

MOST_WORKLOADS = 36
"""So many are all shown one by one, in plots, page and Markdown; of more, `EXCERPT` are."""
EXCERPT = 18


def excerpt(board: Leaderboard, cells: Sequence[Cell]) -> tuple[Leaderboard, list[Cell]]:
    """The study with so many workloads that each can be shown; what is over all of them stays.

    Every dataset is there, and each problem in all of its regimes. Which problems of a dataset
    are taken is a draw that is always the same. A caution says so.
    """
    if len(board.workloads) <= MOST_WORKLOADS:
        return board, list(cells)
    drawn = _draw([b.workload for b in board.workloads])
    kept = [b for b in board.workloads if _problem(b.workload) in drawn][:EXCERPT]
    labels = {b.label for b in kept}
    problems = {_problem(b.workload) for b in kept}
    note = (
        f"{len(kept)} of {len(board.workloads)} workloads are shown one by one, drawn from every "
        "dataset; scores and places are over all, which are in leaderboard.csv and leaderboard.json"
    )
    shown = msgspec.structs.replace(
        board,
        workloads=tuple(kept),
        budgets=tuple(b for b in board.budgets if not b.workload or b.workload in labels),
        lr_curves=tuple(c for c in board.lr_curves if c.workload in labels),
        regimes=tuple(view for view in board.regimes if view.label in problems),
        bias_variance=tuple(e for e in board.bias_variance if e.workload in labels),
        warnings=(note, *board.warnings),
    )
    return shown, [cell for cell in cells if cell.workload.label in labels]


def _problem(workload: Workload) -> str:
    """What its regimes have in common, as the label of a `RegimeView` spells it."""
    return " | ".join((workload.dataset, workload.network, workload.initialization))


def _draw(workloads: Sequence[Workload]) -> set[str]:
    """Problems with about `EXCERPT` workloads, from each dataset in turn at random."""
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
    room = EXCERPT
    while room > 0 and any(datasets.values()):
        for problems in datasets.values():
            if problems and room > 0:
                problem = problems.pop()
                drawn.add(problem)
                room -= sizes[problem]
    return drawn
