"""Plots of networks from inside: axes that say what they show, and nothing cut off in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optbench import train
from optbench.data.splits import load_dataset
from optbench.inspection.initializer_choice import choose
from optbench.inspection.signals import measure_signals
from optbench.report.plots.initializer_depths import draw_comparison
from optbench.report.plots.network_layers import draw_inspection
from optbench.report.plots.sheets import Sheet


def compared(*names: str, depth: int) -> Sheet:
    """A comparison of initializers with tanh."""
    found = choose(names, (16,) * (depth + 1) + (10,), "tanh").ranked
    return draw_comparison(found, "tanh", 16)


@pytest.mark.parametrize("depth", [2, 3, 8, 20])
def test_layers_are_counted_in_whole_numbers(depth: int) -> None:
    """No tick stands at half a layer."""
    for axes in compared("he-normal", "xavier-normal", depth=depth).axes:
        ticks = axes.get_xticks()
        assert len(ticks) > 1
        assert all(tick == round(tick) for tick in ticks)


def test_a_curve_that_leaves_the_plot_is_marked_at_the_edge() -> None:
    """A signal that fades below the smallest number drawn is said to be below it."""
    signal, gradient = compared("xavier-normal", "small-normal", depth=20).axes
    for axes in (signal, gradient):
        texts = [label.get_text() for label in axes.get_yticklabels()]
        assert texts[0] == "≤ 10⁻¹⁴"
        assert not any("≥" in text for text in texts)


def test_nothing_is_marked_where_all_is_within() -> None:
    """A comparison of good ones has no edge."""
    for axes in compared("xavier-normal", "orthogonal", depth=8).axes:
        assert not any("≤" in label.get_text() for label in axes.get_yticklabels())


def test_initializers_of_one_colour_are_told_apart_by_a_legend_with_dashes() -> None:
    """With more initializers than colours the legend shows how each is dashed."""
    handles: Any = compared(depth=2).figure.artists  # lines
    looks = {(handle.get_color(), str(handle._dash_pattern)) for handle in handles}
    assert len(looks) == len(handles) > 8
    assert not compared("he-normal", "orthogonal", depth=2).figure.artists


@pytest.mark.parametrize(("activation", "rate"), [("relu", 0.1), ("tanh", 0.1), ("relu", 1e9)])
def test_shares_and_epochs_start_at_zero(activation: str, rate: float) -> None:
    """No share or epoch is below 0, also of a run that ended at once."""
    data = load_dataset("digits")
    result = train(f"sgd[lr={rate}]", "digits", (8, 8), activation, epochs=1)
    before = measure_signals(
        "he-normal", (data.n_features, 8, 8, data.n_outputs), activation,
        data.x_train, data.y_train, loss="cross-entropy",
    )  # fmt: skip
    share, update = draw_inspection(before, None, result, "").axes[4:]
    assert share.get_ylim()[0] == 0
    for axes, column in ((share, "layer1.dead"), (update, "layer1.update_ratio")):
        looked_at = result.curve["epoch"][~np.isnan(result.curve[column])]
        left, right = axes.get_xlim()
        assert left == 0
        assert right == pytest.approx(looked_at.max(initial=0) or 1)
