"""The boards of a study that is analysed at several looks while it grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optbench.analysis.board_records import Board, BoardName
from optbench.analysis.boards.board_tables import make_boards
from optbench.analysis.boards.board_values import board_values
from optbench.analysis.boards.score_scales import scales_of
from optbench.analysis.study_arrays import StudyArrays
from optbench.records import Cell, Look, StudyProtocol
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
    regions: Mapping[str, float] | None = None,
    before: Sequence[Board] = (),
    first: int = 0,
) -> tuple[Board, ...]:
    """Return the boards of the last look; each look has the replicates that it had then.

    Args:
        cells: One for each entrant, workload and replicate.
        protocol: How configurations were chosen.
        targets: Frozen losses by (dataset, ``Workload.network``).
        looks: The looks so far; by default a single one with all replicates.
        drawn: Whether the workloads were drawn from a declared distribution.
        regions: Regions of practical equivalence that differ from the usual ones.
        before: Boards of the look with index ``first - 1``.
        first: Index of the first look to make.
    """
    boards = tuple(before)
    at_best = protocol.select != "val_loss"
    for index in range(first, max(len(looks), 1)):
        end = protocol.first_replicate + looks[index].replicates if looks else None
        study = StudyArrays([cell for cell in cells if end is None or cell.replicate < end])
        if not study.runs:
            continue
        boards = make_boards(
            study,
            board_values(study, scales_of(study, targets), at_best, regions),
            drawn=drawn,
            looks=looks[: index + 1],
            before=boards,
        )
    return boards


def open_pairs(boards: Sequence[Board]) -> dict[BoardName, list[tuple[str, str]]]:
    """Return the pairs that are still to be decided on each of `DECIDING_BOARDS`.

    A pair without common results cannot be decided, so it does not count.
    """
    return {
        board.name: [
            (pair.first, pair.second)
            for pair in board.pairs
            if pair.verdict == "open" and pair.difference is not None
        ]
        for board in boards
        if board.name in DECIDING_BOARDS
        and board.statement == "these-workloads"
        and board.regime is None
    }
