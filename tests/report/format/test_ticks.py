"""Ticks of boards and charts: round, within the axis, at equal distances."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optbench.records import BoardName
from optbench.report.format.ticks import board_ticks, even_ticks

LIMITS = st.tuples(st.floats(-2, 2), st.floats(0.01, 3)).map(lambda pair: (pair[0], sum(pair)))
SCORES: tuple[BoardName, ...] = ("final-loss", "training-loss", "stability")


@given(LIMITS, st.sampled_from(SCORES), st.integers(2, 4))
def test_boards_of_scores_have_even_ticks(
    limits: tuple[float, float], name: BoardName, most: int
) -> None:
    """Two or three ticks lie on the axis, and the middle one is in the middle."""
    ticks = board_ticks(name, *limits, most=most)
    assert 2 <= len(ticks) <= 3
    assert limits[0] - 1e-9 <= ticks[0] < ticks[-1] <= limits[1] + 1e-9
    np.testing.assert_allclose(np.diff(ticks, 2), 0, atol=1e-9)


def test_four_round_numbers_have_no_middle() -> None:
    """Of 0.7, 0.8, 0.9 and 1.0 the first and the last are drawn."""
    np.testing.assert_allclose(board_ticks("final-loss", 0.65, 1.02), [0.7, 1.0])
    np.testing.assert_allclose(board_ticks("final-loss", 0.59, 1.02), [0.6, 0.8, 1.0])


@given(LIMITS, st.integers(1, 8))
def test_even_ticks_are_on_the_axis(limits: tuple[float, float], parts: int) -> None:
    """There are at least two, at equal distances."""
    ticks = even_ticks(*limits, parts)
    assert len(ticks) >= 2
    assert limits[0] - 1e-9 <= ticks[0] < ticks[-1] <= limits[1] + 1e-9
    np.testing.assert_allclose(np.diff(ticks, 2), 0, atol=1e-9)
