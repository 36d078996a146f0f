"""The entrants that a crowded picture shows in colour: the best of every board, the baseline."""

from __future__ import annotations

from itertools import zip_longest

from optbench.analysis.board_records import select_boards
from optbench.analysis.leaderboard import Leaderboard

CROWD = 10
"""Entrants up to which a picture shows everyone in color."""
MOST_HIGHLIGHTS = 6
"""Entrants in color where there are more, without the baseline."""


def highlights(board: Leaderboard) -> list[str]:
    """Return the labels that pictures of this study show in color.

    Up to `CROWD` entrants, everyone. Otherwise the first ones of each board in turn, and the
    baseline of the study.
    """
    labels = [row.label for row in board.overall]
    if len(labels) <= CROWD:
        return labels
    columns = [[row.label for row in each.rows] for each in select_boards(board.boards)]
    turns = [label for rank in zip_longest(*columns) for label in rank if label]
    best = list(dict.fromkeys(turns or labels))[:MOST_HIGHLIGHTS]
    baselines = [each.baseline.label for each in board.boards if each.baseline is not None]
    return list(dict.fromkeys([*best, *baselines]))
