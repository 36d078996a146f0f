"""The error rate of each look of a sequential study."""

from __future__ import annotations

import pytest

from optbench.analysis.statistics.spending import (
    extended_looks,
    look_sizes,
    planned_looks,
    spent,
)
from optbench.records import ALPHA, Look


def test_the_levels_of_a_full_study_add_up_to_its_error_rate() -> None:
    """Whatever the looks are, one more in between included."""
    for sizes in ([4, 8, 16, 32], [4, 8, 13, 16, 32], [32]):
        looks = planned_looks(sizes, 32)
        assert sum(look.level for look in looks) == pytest.approx(ALPHA)
        assert all(look.level > 0 for look in looks)
    assert sum(look.level for look in planned_looks([4, 8], 32)) == pytest.approx(spent(0.25))


def test_the_published_values_of_the_spending_function() -> None:
    """Pocock-like spending of 5% at quarters, as gsDesign's sfLDPocock gives it."""
    shares = [spent(share) for share in (0.25, 0.5, 0.75, 1.0)]
    assert shares == pytest.approx([0.0179, 0.0310, 0.0414, 0.05], abs=5e-5)
    assert spent(0.0) == 0


def test_a_small_study_has_one_look() -> None:
    """The last look is always at the full size."""
    assert look_sizes(4) == [4]
    assert look_sizes(5) == [4, 5]


def test_extensions_cost_less_and_less() -> None:
    """However often a study is extended, all its looks stay below twice the usual error rate."""
    looks = [Look(replicates=6, level=ALPHA)]
    for size in range(7, 40):
        looks = extended_looks(looks, size)
        assert looks[-1].replicates == size
    assert sum(look.level for look in looks) <= 2 * ALPHA
    assert looks[1].level == ALPHA / 2
