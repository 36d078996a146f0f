"""Lines about the looks at a study that runs until it is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optbench.analysis.board_records import Board
from optbench.records import BoardName, Look
from optbench.support.text import count, plural

NAMED_PAIRS = 6
"""Number of open pairs that are named after a look; the others are only counted."""


def look_line(
    looks: Sequence[Look], pairs: Mapping[BoardName, list[tuple[str, str]]], boards: Sequence[Board]
) -> str:
    """Return what is open after a look, and on which board.

    Args:
        looks: The looks so far, at least one.
        pairs: Open pairs of each board that decides.
        boards: Boards of the look.
    """
    number = f"look {len(looks)}, {count(looks[-1].replicates, 'replicate')}"
    total = len(boards[0].pairs) * len(pairs) if boards else 0
    names = [f"{a} - {b} ({board})" for board, found in pairs.items() for a, b in found]
    if not names:
        return f"{number}: {plural(total, 'the only pair is', f'all {total} pairs are')} decided"
    more = f" and {len(names) - NAMED_PAIRS} more" if len(names) > NAMED_PAIRS else ""
    which = ", ".join(names[:NAMED_PAIRS])
    return f"{number}: {len(names)} of {count(total, 'pair')} open: {which}{more}"


def end_line(replicates: int, most: int) -> str:
    """Return why a study with open pairs ends.

    Args:
        replicates: Number of replicates that it has.
        most: Largest number of replicates.
    """
    if replicates >= most:
        return f"the study ends: the most replicates ({most}) are reached"
    return "the study ends: the time limit is reached"
