"""What pairs leave open: places, and groups of entrants that are not told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optbench.contracts import Array


class TieGroup(NamedTuple):
    """Entrants without a separated pair: a letter, and their labels, best first."""

    letter: str
    labels: tuple[str, ...]


def place_ranges(better: Array) -> list[tuple[int, int]]:
    """Return the first and last place of each entrant that separated pairs leave open, 1-based."""
    ahead, behind = better.sum(axis=0), better.sum(axis=1)
    return [(1 + int(a), len(better) - int(b)) for a, b in zip(ahead, behind, strict=True)]


def tie_groups(better: Array, order: Sequence[int], labels: Sequence[str]) -> tuple[TieGroup, ...]:
    """Return the largest sets of entrants without a separated pair (a compact letter display).

    Insertion and absorption (Piepho 2004): start with one group of all, split groups at each
    separated pair, drop groups that lie within another.

    Args:
        better: Separated pairs, shape (S, S).
        order: Indices of the entrants, best first.
        labels: Names of the entrants.
    """
    groups = [frozenset(order)]
    for a, b in np.argwhere(better | better.T):
        split = [g - {x} for g in groups if {a, b} <= g for x in (a, b)]
        intact = [g for g in groups if not {a, b} <= g]
        unique = list(dict.fromkeys(intact + split))
        groups = [g for g in unique if not any(g < other for other in unique)]
    position = {index: i + 1 for i, index in enumerate(order)}
    inside = sorted(sorted(position[i] for i in group) for group in groups)
    return tuple(
        TieGroup(
            letter=_letter(i),
            labels=tuple(labels[order[p - 1]] for p in places),
        )
        for i, places in enumerate(inside)
    )


def _letter(i: int) -> str:
    """Return a, b, ..., z, A, ..., Z, then a1, b1, ..."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rounds, position = divmod(i, len(letters))
    return letters[position] + (str(rounds) if rounds else "")
