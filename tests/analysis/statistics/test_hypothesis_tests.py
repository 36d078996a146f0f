"""Small statistics against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from optbench.analysis.statistics import hypothesis_tests as statistics
from optbench.analysis.statistics.multiplicity import holm


@pytest.mark.parametrize(("count", "total"), [(0, 5), (5, 5), (3, 45), (1, 2), (20, 100)])
def test_wilson_agrees_with_scipy(count: int, total: int) -> None:
    """The interval of a divergence rate is the textbook one."""
    expected = scipy.stats.binomtest(count, total).proportion_ci(method="wilson")
    assert statistics.wilson(count, total) == pytest.approx((expected.low, expected.high))


def test_wilson_of_nothing_knows_nothing() -> None:
    """Without a run the rate may be anything."""
    assert statistics.wilson(0, 0) == (0.0, 1.0)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_average_ranks_agree_with_scipy(values: list[int]) -> None:
    """Ties share the mean of their places."""
    np.testing.assert_array_equal(
        statistics.average_ranks(values), scipy.stats.rankdata(values, "average")
    )


def test_holm_by_hand() -> None:
    """Sorted .01 .02 .03 .04 become .04 .06 .06 .06."""
    adjusted = holm([0.04, 0.01, 0.03, 0.02])
    np.testing.assert_allclose(adjusted, [0.06, 0.04, 0.06, 0.06])
