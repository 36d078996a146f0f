"""Names in plots do not overlap."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.report.format.palette import assign_looks
from optbench.report.plots.labels import label_ends, spread_apart
from optbench.report.plots.sheets import make_sheet, style


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0.01, 0.07),
)
def test_labels_keep_their_order_and_their_distance(wanted: list[float], gap: float) -> None:
    """Direct labels never overlap, and stand in the order of their curves."""
    placed = spread_apart(wanted, gap, 0.0, 1.0)
    in_order = [placed[i] for i in sorted(range(len(wanted)), key=lambda i: (wanted[i], i))]
    assert all(b - a >= gap - 1e-9 for a, b in pairwise(in_order))
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9


def test_labels_with_room_stay_where_they_belong() -> None:
    """What does not collide is not moved."""
    assert spread_apart([0.9, 0.1, 0.5], 0.1, 0, 1) == pytest.approx([0.9, 0.1, 0.5])


def test_labels_of_curves_that_end_early_are_drawn_in_a_fixed_order() -> None:
    """Where they overlap, the same one lies on top in every process."""
    labels = [f"optimizer-{i}" for i in range(8)]
    with style():
        (axes,) = make_sheet("title").axes
        label_ends(axes, dict.fromkeys(labels, (0.5, 0.5)), assign_looks(labels))
    assert [text.get_text() for text in axes.texts] == labels
