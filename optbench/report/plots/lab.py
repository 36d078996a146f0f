"""Inside a network: signals by layer, histograms, layer health in training, initializers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from optbench.contracts import Array
from optbench.engine.health import BOUNDED
from optbench.engine.signals import Signals
from optbench.records import RunResult
from optbench.report.palette import Look, looks
from optbench.report.plots import base, naming
from optbench.report.plots.maps import SHADES

BEFORE, AFTER = Look("#39a4fd", "dash", "o"), Look("#2339fe", "solid", "s")
MOST_ROWS = 12
"""Layers whose histograms are drawn; of deeper networks, evenly spaced ones."""
BINS = 60


def draw_inspection(
    before: Signals, after: Signals | None, result: RunResult | None, said: str
) -> base.Sheet:
    """One network: six panels, or the first three when it was not trained.

    Args:
        before: signals of the fresh network.
        after: of the trained one.
        result: its run.
        said: the verdict.
    """
    trained = after is not None and result is not None
    hidden = result.spec.hidden if result is not None else [0] * len(before.forward)
    network = "-".join(map(str, hidden)) if any(hidden) else f"{len(hidden)} layers"
    made = base.sheet(
        f"{before.initializer}, {network} {before.activation}",
        said,
        n=6 if trained else 3,
        columns=3,
        width=2.7,
        height=2.1,
        right=0.35,
    )
    many = {"before training": before} | ({"after": after} if after is not None else {})
    _by_layer(made.axes[0], "signal: mean square of z", {k: s.forward for k, s in many.items()})
    _by_layer(made.axes[1], "gradient by z, mean square", {k: s.backward for k, s in many.items()})
    _histograms(made.axes[2], before)
    if result is not None and trained:
        _losses(made.axes[3], result)
        kind = "saturated" if before.activation in BOUNDED else "dead"
        title = "saturated share of a layer" if kind == "saturated" else "dead units of a layer"
        _along(made.axes[4], title, result, kind)
        base.percent_axis(made.axes[4])
        _along(made.axes[5], "update over weights, norms", result, "update_ratio")
    return made


def _by_layer(axes: Axes, title: str, many: Mapping[str, Array]) -> None:
    axes.set_title(title)
    axes.set_xlabel("hidden layer")
    styles = dict(zip(many, (BEFORE, AFTER), strict=False))
    values = np.concatenate(list(many.values()))
    limits = base.positive_limits(values, 0.12)
    if limits is None:
        base.say_empty(axes, "zero in every layer")
        return
    for name, found in many.items():
        layers = np.arange(1, len(found) + 1)
        look = styles[name]
        axes.plot(
            layers,
            np.where(found > 0, found, np.nan),
            color=look.colour,
            linestyle=base.linestyle(look),
            marker=look.marker,
            markersize=3.5,
            label=name,
        )
    low, high = limits
    if high / low < 10:  # a flat line should look flat
        middle = (low * high) ** 0.5
        low, high = middle / 5, middle * 5
    base.log_axis(axes, "y", low, high, most=5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=7, loc="best")


def _histograms(axes: Axes, found: Signals) -> None:
    """Activations of each layer as a ridge, the first layer on top."""
    axes.set_title("activations before training")
    depth = len(found.samples)
    rows = np.unique(np.linspace(0, depth - 1, min(depth, MOST_ROWS)).round().astype(int))
    finite = [s[np.isfinite(s)] for s in (found.samples[row] for row in rows)]
    if not any(len(s) for s in finite):
        base.say_empty(axes, "no hidden layer" if not depth else "nothing finite")
        return
    every = np.concatenate(finite)
    low, high = (float(v) for v in np.quantile(every, [0.002, 0.998]))
    if high - low < 1e-12:
        low, high = low - 1, high + 1
    edges = np.linspace(low, high, BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    for place, sample in enumerate(finite):
        counts = np.histogram(sample, edges)[0].astype(float)
        ridge = np.sqrt(counts / max(counts.max(), 1)) * 0.85
        bottom = len(rows) - 1 - place
        axes.fill_between(middle, bottom, bottom + ridge, color=SHADES[1], linewidth=0)
        axes.plot(middle, bottom + ridge, color=SHADES[3], linewidth=0.8)
    axes.set_yticks(range(len(rows)), [f"layer {row + 1}" for row in rows[::-1]], fontsize=7)
    axes.set_ylim(-0.1, len(rows))
    axes.set_xlabel("activation (height: root of the count)")


def _losses(axes: Axes, result: RunResult) -> None:
    axes.set_title("loss")
    axes.set_xlabel("epoch")
    curve = result.curve
    both = np.concatenate([curve["train_loss"], curve["val_loss"]])
    limits = base.positive_limits(both)
    if limits is None:
        base.say_empty(axes, "no finite loss")
        return
    for name, look in (("train_loss", AFTER), ("val_loss", BEFORE)):
        axes.plot(
            curve["epoch"],
            np.where(np.isfinite(curve[name]), curve[name], np.nan),
            color=look.colour,
            linestyle=base.linestyle(look),
            label=name.removesuffix("_loss").replace("val", "validation"),
        )
    base.log_axis(axes, "y", *limits, most=5)
    axes.legend(fontsize=7)


def _along(axes: Axes, title: str, result: RunResult, what: str) -> None:
    """A health column of every layer by epoch, light for the first layer and dark for the last."""
    axes.set_title(title)
    axes.set_xlabel("epoch")
    columns = [name for name in result.curve if name.endswith(f".{what}")]
    drawn, ends, seen = [], {}, {}
    shades = _shades(len(columns))
    for column, shade in zip(columns, shades, strict=True):
        known = ~np.isnan(result.curve[column])
        epochs, values = result.curve["epoch"][known], result.curve[column][known]
        if len(values):
            drawn.append(values)
            axes.plot(epochs, values, color=shade, marker="o", markersize=2.5, linewidth=1.2)
            label = column.partition(".")[0].replace("layer", "")
            ends[label], seen[label] = (float(epochs[-1]), float(values[-1])), Look(shade)
    if not drawn:
        base.say_empty(axes, "not recorded")
    elif what == "update_ratio":
        limits = base.positive_limits(np.concatenate(drawn))
        if limits is not None:
            base.log_axis(axes, "y", *limits, most=5)
    else:
        axes.set_ylim(-0.02, max(1.02 * float(np.concatenate(drawn).max()), 0.1))
    naming.label_ends(axes, ends, seen, size=7)


def _shades(n: int) -> list[str]:
    return [SHADES[1 + round(3 * i / max(n - 1, 1))] for i in range(n)]


def draw_comparison(found: Sequence[Signals], activation: str, width: int) -> base.Sheet:
    """Initializers against each other: signal by depth, gradient by distance from the output."""
    labels = [naming.shown(signals.initializer) for signals in found]
    seen = looks(labels)
    made = base.sheet(
        f"Initializers from 2 to {len(found[0].forward)} layers of {width} {activation} units",
        "Signal: mean square of z in each layer over that of the first. Gradient: what arrives, "
        "over what the last hidden layer has.\nA flat line trains at any depth; a falling one "
        "fades, a rising one explodes.",
        n=2,
        columns=2,
        width=3.2,
        height=2.9,
        right=0.3 + 0.075 * max(map(len, labels)),
    )
    titles = ("signal, by layer", "gradient, by layers below the last")
    for axes, title, which in zip(made.axes, titles, ("forward", "backward"), strict=True):
        axes.set_title(title)
        ends = {}
        for label, signals in zip(labels, found, strict=True):
            values = signals.forward if which == "forward" else signals.backward[::-1]
            first = values[0] if len(values) and values[0] > 0 else np.nan
            relative = np.clip(values / first, 1e-14, 1e14)
            relative = np.where(values > 0, relative, np.nan)
            if np.isfinite(relative).any():
                look = seen[label]
                steps = np.arange(1, len(relative) + 1)
                axes.plot(
                    steps, relative, color=look.colour, linestyle=base.linestyle(look),
                    linewidth=1.3,
                )  # fmt: skip
                last = int(np.flatnonzero(np.isfinite(relative))[-1])
                ends[label] = (float(steps[last]), float(relative[last]))
        axes.set_xlim(1, max(len(found[0].forward), 2))
        everything = [y for _, y in ends.values()] or [1.0]
        base.log_axis(axes, "y", min(*everything, 0.1) / 3, max(*everything, 10) * 3, most=7)
        axes.set_xlabel("layer" if which == "forward" else "layers below the last hidden one")
        naming.label_ends(axes, ends, seen, size=7)
    return made
