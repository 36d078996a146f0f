"""Inside a network: signals by layer, activations, and layer health during training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from optbench.contracts import Array
from optbench.engine.health import BOUNDED
from optbench.inspection.signals import Signals
from optbench.records import RunResult
from optbench.report.format.palette import SHADES, Look
from optbench.report.plots.labels import label_ends
from optbench.report.plots.marks import dash_pattern
from optbench.report.plots.scales import (
    note_empty,
    positive_limits,
    set_log_axis,
    set_percent_axis,
    tick_text,
)
from optbench.report.plots.sheets import Sheet, make_sheet
from optbench.support.text import count

BEFORE, AFTER = Look("#39a4fd", "dash", "o"), Look("#2339fe", "solid", "s")
MOST_LAYERS = 12
"""Layers whose activations are drawn, or whose curves are named; evenly spaced in deeper ones."""
MOST_WIDTHS = 6
"""Widths of layers that a title lists even if all are equal."""
BINS = 60
OUTPUT_BINS = 30
TAIL = 0.002
"""Share of the activations that lies beyond either end of their axis."""
RIDGE_HEIGHT = 0.85
"""Of a layer's activations, as a share of the distance between layers."""
FLAT = 10
"""A span by less than this factor is drawn in the middle of a larger one, to look flat."""


Panel = Callable[[Axes], None]
"""Draws one panel."""


def draw_inspection(
    before: Signals, after: Signals | None, result: RunResult | None, verdict: str
) -> Sheet:
    """Draw one network: signals, activations, losses and health of the layers.

    The sheet has six panels, or the first three if the network was not trained. A linear model has
    no hidden layer to look into: its outputs are drawn instead, its losses and its updates.

    Args:
        before: Signals before training.
        after: Signals after training; None if it diverged.
        result: Its run.
        verdict: Subtitle of the sheet.
    """
    panels = _linear_panels if not len(before.forward) else _hidden_panels
    drawn = panels(before, after, result)
    sheet = make_sheet(
        f"{before.initializer}, {_network_text(before, result)}",
        verdict,
        n=len(drawn),
        columns=3,
        width=2.7,
        height=2.1,
        right=0.35,
    )
    for axes, draw in zip(sheet.axes, drawn, strict=True):
        draw(axes)
    return sheet


def _network_text(before: Signals, result: RunResult | None) -> str:
    if not len(before.forward):
        return "linear model"
    widths = result.spec.hidden if result is not None else ()
    if len(widths) > MOST_WIDTHS and len(set(widths)) == 1:
        text = f"{widths[0]}x{len(widths)}"  # as `--hidden` reads it
    else:
        text = "-".join(map(str, widths)) or count(len(before.forward), "layer")
    return f"{text} {before.activation}"


def _hidden_panels(before: Signals, after: Signals | None, result: RunResult | None) -> list[Panel]:
    signals = _named_signals(before, after)
    forward = {name: s.forward for name, s in signals.items()}
    backward = {name: s.backward for name, s in signals.items()}
    panels: list[Panel] = [
        partial(_draw_by_layer, title="signal: mean square of z", curves=forward),
        partial(_draw_by_layer, title="gradient by z, mean square", curves=backward),
        partial(_draw_activations, signals=before),
    ]
    if result is not None:
        column = "saturated" if before.activation in BOUNDED else "dead"
        title = "values on the flat part" if column == "saturated" else "units off on every example"
        panels += [
            partial(_draw_losses, result=result),
            partial(_draw_health, title=f"{title}, by layer", result=result, quantity=column),
            _update_panel(result, "update over weights, by layer"),
        ]
    return panels


def _linear_panels(before: Signals, after: Signals | None, result: RunResult | None) -> list[Panel]:
    panels: list[Panel] = [partial(_draw_outputs, signals=_named_signals(before, after))]
    if result is not None:
        panels += [
            partial(_draw_losses, result=result),
            _update_panel(result, "update over weights"),
        ]
    return panels


def _update_panel(result: RunResult, title: str) -> Panel:
    return partial(_draw_health, title=title, result=result, quantity="update_ratio")


def _named_signals(before: Signals, after: Signals | None) -> dict[str, Signals]:
    return {"before training": before} | ({"after": after} if after is not None else {})


def _draw_outputs(axes: Axes, signals: Mapping[str, Signals]) -> None:
    """Draw the distribution of the outputs of a linear model, before and after training."""
    axes.set_title("outputs")
    axes.set_xlabel("output z")
    axes.set_ylabel("share of the outputs")
    values = {name: s.outputs[np.isfinite(s.outputs)] for name, s in signals.items()}
    every = np.concatenate(list(values.values()))
    if not len(every):
        note_empty(axes, "nothing finite")
        return
    low, high = np.quantile(every, [TAIL, 1 - TAIL]).tolist()
    edges = np.linspace(low - 0.5, high + 0.5, OUTPUT_BINS + 1)
    for (name, sample), look in zip(values.items(), (BEFORE, AFTER), strict=False):
        shares = np.histogram(sample, edges)[0] / max(len(sample), 1)
        axes.stairs(shares, edges, color=look.colour, linestyle=dash_pattern(look), label=name)
    set_percent_axis(axes)
    axes.legend(fontsize=7)


def _draw_by_layer(axes: Axes, title: str, curves: Mapping[str, Array]) -> None:
    axes.set_title(title)
    axes.set_xlabel("hidden layer")
    limits = positive_limits(np.concatenate(list(curves.values())), 0.12)
    if limits is None:
        note_empty(axes, "zero in every layer")
        return
    for (name, values), look in zip(curves.items(), (BEFORE, AFTER), strict=False):
        axes.plot(
            np.arange(1, len(values) + 1),
            np.where(values > 0, values, np.nan),
            color=look.colour,
            linestyle=dash_pattern(look),
            marker=look.marker,
            markersize=3.5,
            label=name,
        )
    low, high = limits
    if high / low < FLAT:
        middle = (low * high) ** 0.5
        low, high = middle / 5, middle * 5
    set_log_axis(axes, "y", low, high, most=5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=7, loc="best")


def _draw_activations(axes: Axes, signals: Signals) -> None:
    """Draw the distribution in each layer as a ridge, the first layer on top."""
    axes.set_title("activations before training")
    depth = len(signals.samples)
    layers = _spaced_layers(depth)
    samples = [s[np.isfinite(s)] for s in (signals.samples[layer] for layer in layers)]
    if not any(len(sample) for sample in samples):
        note_empty(axes, "no hidden layer" if not depth else "nothing finite")
        return
    low, high = np.quantile(np.concatenate(samples), [TAIL, 1 - TAIL]).tolist()
    if high - low < 1e-12:
        low, high = low - 1, high + 1
    edges = np.linspace(low, high, BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    for i, sample in enumerate(samples):
        counts = np.histogram(sample, edges)[0].astype(float)
        ridge = np.sqrt(counts / max(counts.max(), 1)) * RIDGE_HEIGHT
        bottom = len(layers) - 1 - i
        axes.fill_between(middle, bottom, bottom + ridge, color=SHADES[1], linewidth=0)
        axes.plot(middle, bottom + ridge, color=SHADES[3], linewidth=0.8)
    axes.set_yticks(range(len(layers)), [f"layer {i + 1}" for i in layers[::-1]], fontsize=7)
    axes.set_ylim(-0.1, len(layers))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(tick_text))
    axes.set_xlabel("activation (height: root of the count)")


def _draw_losses(axes: Axes, result: RunResult) -> None:
    axes.set_title("loss")
    axes.set_xlabel("epoch")
    curve = result.curve
    limits = positive_limits(np.concatenate([curve["train_loss"], curve["val_loss"]]))
    if limits is None:
        note_empty(axes, "no finite loss")
        return
    for name, look in (("train_loss", AFTER), ("val_loss", BEFORE)):
        axes.plot(
            curve["epoch"],
            np.where(np.isfinite(curve[name]), curve[name], np.nan),
            color=look.colour,
            linestyle=dash_pattern(look),
            label=name.removesuffix("_loss").replace("val", "validation")
            + result.spec.sample_note(name),
        )
    set_log_axis(axes, "y", *limits, most=5)
    axes.legend(fontsize=7)


def _draw_health(axes: Axes, title: str, result: RunResult, quantity: str) -> None:
    """Draw a health column of every layer by epoch, light for the first layer, dark for the last.

    Args:
        axes: Axes to draw on.
        title: Title of the axes.
        result: Run with columns such as ``layer1.dead``.
        quantity: Part of the columns' names behind the dot.
    """
    axes.set_title(title)
    axes.set_xlabel("epoch")
    columns = [name for name in result.curve if name.endswith(f".{quantity}")]
    is_ratio = quantity == "update_ratio"
    named = {f"layer{layer + 1}.{quantity}" for layer in _spaced_layers(len(columns))}
    drawn: list[Array] = []
    ends: dict[str, tuple[float, float]] = {}
    looks: dict[str, Look] = {}
    last_epoch = 0.0
    for column, shade in zip(columns, _layer_shades(len(columns)), strict=True):
        recorded = ~np.isnan(result.curve[column])
        x, y = result.curve["epoch"][recorded], result.curve[column][recorded]
        if not len(y):
            continue
        last_epoch = max(last_epoch, float(x[-1]))
        if is_ratio and (y == 0).any():  # a logarithmic axis has no place for 0
            _mark_idle(axes, x[y == 0], shade)
            axes.set_xlabel("epoch (triangle: no update)")
            x, y = x[y > 0], y[y > 0]
        if not len(y):
            continue
        drawn.append(y)
        axes.plot(x, y, color=shade, marker="o", markersize=2.5, linewidth=1.2, clip_on=False)
        if column in named and len(columns) > 1:
            label = column.partition(".")[0].removeprefix("layer")
            ends[label], looks[label] = (float(x[-1]), float(y[-1])), Look(shade)
    if not drawn:
        other = [v for name, v in result.curve.items() if name.startswith("layer")]
        is_measured = is_ratio and not all(np.isnan(values).all() for values in other)
        note_empty(axes, "no update, or weights of 0" if is_measured else "not recorded")
        return
    axes.set_xlim(0, last_epoch or 1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    _set_health_axis(axes, np.concatenate(drawn), quantity)
    label_ends(axes, ends, looks, size=7)


def _mark_idle(axes: Axes, epochs: Array, shade: str) -> None:
    """Mark epochs in which weights did not change, at the lower edge of the axes."""
    axes.plot(
        epochs,
        np.full(len(epochs), 0.02),
        linestyle="",
        marker="v",
        markersize=3.5,
        color=shade,
        clip_on=False,
        transform=axes.get_xaxis_transform(),
    )


def _set_health_axis(axes: Axes, values: Array, quantity: str) -> None:
    """Make the vertical axis logarithmic for ratios, and one of percent for shares."""
    if quantity != "update_ratio":
        axes.set_ylim(0, max(1.02 * float(values.max()), 0.1))
        set_percent_axis(axes)
    elif (limits := positive_limits(values)) is not None:
        set_log_axis(axes, "y", *limits, most=5)


def _spaced_layers(depth: int) -> list[int]:
    """Return all layers, counted from 0, or as many as there is room for, evenly spaced."""
    spaced = np.linspace(0, depth - 1, min(depth, MOST_LAYERS)).round()
    return [int(layer) for layer in np.unique(spaced)]


def _layer_shades(n: int) -> Sequence[str]:
    return [SHADES[1 + round(3 * i / max(n - 1, 1))] for i in range(n)]
