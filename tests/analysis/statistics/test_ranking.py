"""Places and tie groups: small cases by hand, and known behaviour."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp

from optbench.analysis.statistics import ranking
from optbench.contracts import Array


def better_than(size: int, *pairs: tuple[int, int]) -> Array:
    matrix = np.zeros((size, size), dtype=bool)
    for a, b in pairs:
        matrix[a, b] = True
    return matrix


def test_places_are_what_the_separated_pairs_leave_open() -> None:
    """0 beats 2 and 3, 1 beats 3: places 1-2, 1-3, 2-4, 3-4."""
    better = better_than(4, (0, 2), (0, 3), (1, 3))
    assert ranking.place_ranges(better) == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_tie_groups_overlap_like_the_bars_of_a_diagram() -> None:
    """ab, bc, cd: no separated pair shares a group, every other pair does."""
    groups = ranking.tie_groups(better_than(4, (0, 2), (0, 3), (1, 3)), [0, 1, 2, 3], list("abcd"))
    assert [g.labels for g in groups] == [("a", "b"), ("b", "c"), ("c", "d")]
    assert [g.letter for g in groups] == ["a", "b", "c"]


@given(hnp.arrays(bool, (5, 5)))
def test_two_entrants_share_a_group_exactly_when_they_are_not_separated(pairs: Array) -> None:
    """Also for separations that are no order at all."""
    better = np.triu(pairs, 1)
    groups = ranking.tie_groups(better, [0, 1, 2, 3, 4], list("abcde"))
    for i in range(5):
        for j in range(i + 1, 5):
            together = any({"abcde"[i], "abcde"[j]} <= set(g.labels) for g in groups)
            assert together != better[i, j]
    members = [set(g.labels) for g in groups]
    assert not any(one < other for one in members for other in members)
