"""Plots of networks from inside: axes that say what they show, and nothing cut off in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from optbench import train
from optbench.data.splits import load_dataset
from optbench.inspection.initializer_choice import choose
from optbench.inspection.signals import measure_signals
from optbench.records import Curve
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


def updates_panel(initializer: str, last: float | None = None) -> Axes:
    """Return the panel of the updates of a network, the last of its first layer's replaced."""
    data = load_dataset("digits")
    result = train("sgd[lr=0.1]", "digits", (8,), "tanh", initializer, epochs=1)
    if last is not None:
        names = result.curve.columns
        matrix = np.array([result.curve[name] for name in names])
        ratio = matrix[names.index("layer1.update_ratio")]
        ratio[np.flatnonzero(~np.isnan(ratio))[-1]] = last
        result = replace(result, curve=Curve(names, matrix))
    before = measure_signals(
        initializer, (data.n_features, 8, data.n_outputs), "tanh",
        data.x_train, data.y_train, loss="cross-entropy",
    )  # fmt: skip
    return draw_inspection(before, None, result, "").axes[5]


def test_an_update_of_zero_is_a_triangle_at_the_edge_of_its_panel() -> None:
    """A line to 0 on a logarithmic axis would run out of the panel and over the sheet."""
    axes = updates_panel("xavier-normal", last=0.0)
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    (triangle,) = (line for line in axes.lines if line.get_marker() == "v")
    assert all((np.asarray(line.get_ydata()) > 0).all() for line in lines)
    assert np.asarray(triangle.get_xdata()).tolist() == [1.0]
    assert "triangle" in axes.get_xlabel()


def test_a_ratio_to_weights_of_zero_is_not_said_to_be_unrecorded() -> None:
    """From zeros, weights behind the output layer stay 0: there is no ratio, but a record."""
    (text,) = (text.get_text() for text in updates_panel("zeros").texts)
    assert text == "no update, or weights of 0"
