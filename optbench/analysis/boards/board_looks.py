"""The boards of a study that is analyzed at several looks while it grows."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.boards.board_tables import make_boards
from optbench.analysis.boards.board_values import board_values
from optbench.analysis.boards.score_scales import scales_of
from optbench.analysis.run_costs import UNKNOWN_PACE, Pace
from optbench.analysis.study_arrays import StudyArrays
from optbench.records import BoardName, Cell, Criteria, Look, StudyProtocol
from optbench.suites import Targets

DECIDING_BOARDS: tuple[BoardName, ...] = ("final-loss", "speed")
"""Boards with pairs that a study waits for when it runs until decided."""


def boards_at_looks(
    cells: Sequence[Cell],
    protocol: StudyProtocol,
    targets: Targets,
    *,
    looks: Sequence[Look] = (),
    drawn: bool = False,
    criteria: Criteria | None = None,
    before: Sequence[Board] = (),
    first: int = 0,
    pace: Pace = UNKNOWN_PACE,
) -> tuple[Board, ...]:
    """Return the boards of the last look; each look has the replicates that it had then.

    Args:
        cells: One for each entrant, workload and replicate.
        protocol: How configurations were chosen.
        targets: Frozen losses by (dataset, ``Workload.network``).
        looks: The looks so far; by default a single one with all replicates.
        drawn: Whether the workloads were drawn from a declared distribution.
        criteria: The baseline and the regions of practical equivalence.
        before: Boards of the look with index ``first - 1``.
        first: Index of the first look to make.
        pace: How fast the machine trains further runs.
    """
    boards, criteria = tuple(before), criteria or Criteria()
    at_best = protocol.select != "val_loss"
    for index in range(first, max(len(looks), 1)):
        end = protocol.first_replicate + looks[index].replicates if looks else None
        study = StudyArrays([cell for cell in cells if end is None or cell.replicate < end])
        if not study.runs:
            continue
        boards = make_boards(
            study,
            board_values(study, scales_of(study, targets), at_best, criteria),
            drawn=drawn,
            baseline=criteria.baseline,
            looks=looks[: index + 1],
            before=boards,
            pace=pace,
        )
    return boards


def open_pairs(boards: Sequence[Board]) -> dict[BoardName, list[tuple[str, str]]]:
    """Return the pairs that are still to be decided on each of `DECIDING_BOARDS`.

    With a baseline, these are pairs with the baseline only. A pair without a difference cannot be
    decided, so it does not count.
    """
    return {
        board.name: [
            (pair.first, pair.second)
            for pair in (board.baseline or board).pairs
            if pair.verdict == "open" and pair.difference is not None
        ]
        for board in select_boards(boards)
        if board.name in DECIDING_BOARDS
    }
