"""The regimes side by side as groups of entrants that are not told apart.

Ranks would claim an order where there is none. The first group has those that may be the best, as
on the board. A further group starts with an entrant that is worse than the first one of the group
before it, so no entrant is shown to be worse than the first of its own group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.words.board_sentences import has_verdicts
from optbench.records import REGIMES, BoardName, Regime

Groups = tuple[tuple[str, ...], ...]
"""Labels of each group, best group first; within a group, in the order of the board."""


@dataclass(frozen=True)
class RegimeGroups:
    """The groups of one board in each regime.

    Attributes:
        name: The board.
        regimes: Regimes with verdicts, in the order of `REGIMES`.
        groups: Groups of each of these regimes.
    """

    name: BoardName
    regimes: tuple[Regime, ...]
    groups: tuple[Groups, ...]

    def path(self, label: str) -> tuple[int | None, ...]:
        """Return the group of an entrant in each regime, from 1; None where it is not entered."""
        return tuple(
            next((i for i, group in enumerate(groups, 1) if label in group), None)
            for groups in self.groups
        )


def board_groups(board: Board) -> Groups:
    """Return the entrants of a board in groups, best first; those without a workload have none."""
    beaten = {(p.first, p.second) for p in board.pairs if p.verdict == "better"}
    entered = [row for row in board.rows if row.value is not None]  # not a full-batch method in sgd
    groups: list[list[str]] = []
    for row in entered:
        if row.may_be_best:
            continue
        if not groups or (groups[-1][0], row.label) in beaten:
            groups.append([])
        groups[-1].append(row.label)
    first = [row.label for row in entered if row.may_be_best]
    return tuple(map(tuple, [first, *groups] if first else groups))


def regime_groups(boards: Iterable[Board], name: BoardName = "final-loss") -> RegimeGroups | None:
    """Return the groups of a board in each regime.

    Args:
        boards: All boards of a leaderboard.
        name: The board.

    Returns:
        The groups; None with fewer than two regimes that have verdicts.
    """
    every = list(boards)
    of_regime = {
        regime: board
        for regime in REGIMES
        for board in select_boards(every, regime=regime)
        if board.name == name and has_verdicts(board)
    }
    if len(of_regime) < 2:
        return None
    return RegimeGroups(
        name=name,
        regimes=tuple(of_regime),
        groups=tuple(map(board_groups, of_regime.values())),
    )
