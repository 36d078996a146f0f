"""Inside a network: signals by layer, histograms, layer health in training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from optbench.contracts import Array
from optbench.engine.health import BOUNDED
from optbench.inspection.signals import Signals
from optbench.records import RunResult
from optbench.report.format.palette import Look
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming
from optbench.report.plots.maps import SHADES

BEFORE, AFTER = Look("#39a4fd", "dash", "o"), Look("#2339fe", "solid", "s")
MOST_ROWS = 12
"""Layers whose histograms are drawn or whose curves are named; of more, evenly spaced ones."""
BINS = 60


def draw_inspection(
    before: Signals, after: Signals | None, result: RunResult | None, said: str
) -> base.Sheet:
    """One network: six panels, or the first three when it was not trained.

    Args:
        before: signals of the fresh network.
        after: of the trained one; None when it diverged.
        result: its run.
        said: the verdict.
    """
    hidden = result.spec.hidden if result is not None else [0] * len(before.forward)
    network = "-".join(map(str, hidden)) if any(hidden) else f"{len(hidden)} layers"
    made = base.sheet(
        f"{before.initializer}, {network} {before.activation}",
        said,
        n=3 if result is None else 6,
        columns=3,
        width=2.7,
        height=2.1,
        right=0.35,
    )
    many = {"before training": before} | ({"after": after} if after is not None else {})
    _by_layer(made.axes[0], "signal: mean square of z", {k: s.forward for k, s in many.items()})
    _by_layer(made.axes[1], "gradient by z, mean square", {k: s.backward for k, s in many.items()})
    _histograms(made.axes[2], before)
    if result is not None:
        _losses(made.axes[3], result)
        kind = "saturated" if before.activation in BOUNDED else "dead"
        title = "values on the flat part" if kind == "saturated" else "units off on every example"
        _along(made.axes[4], f"{title}, by layer", result, kind)
        _along(made.axes[5], "update over weights, by layer", result, "update_ratio")
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
    rows = _rows(depth)
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
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(base.short))
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
    drawn, ends, seen, last = [], {}, {}, 0.0
    named = {f"layer{row + 1}.{what}" for row in _rows(len(columns))}
    for column, shade in zip(columns, _shades(len(columns)), strict=True):
        known = ~np.isnan(result.curve[column])
        epochs, values = result.curve["epoch"][known], result.curve[column][known]
        if not len(values):
            continue
        drawn.append(values)
        last = max(last, float(epochs[-1]))
        axes.plot(
            epochs, values, color=shade, marker="o", markersize=2.5, linewidth=1.2, clip_on=False
        )
        if column in named:
            label = column.partition(".")[0].removeprefix("layer")
            ends[label], seen[label] = (float(epochs[-1]), float(values[-1])), Look(shade)
    if not drawn:
        base.say_empty(axes, "not recorded")
        return
    every = np.concatenate(drawn)
    axes.set_xlim(0, last or 1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if what == "update_ratio":
        limits = base.positive_limits(every)
        if limits is not None:
            base.log_axis(axes, "y", *limits, most=5)
    else:
        axes.set_ylim(0, max(1.02 * float(every.max()), 0.1))
        base.percent_axis(axes)
    naming.label_ends(axes, ends, seen, size=7)


def _rows(depth: int) -> list[int]:
    """All layers of a network, from 0, or as many as there is room for, evenly spaced."""
    spaced = np.linspace(0, depth - 1, min(depth, MOST_ROWS)).round()
    return [int(row) for row in np.unique(spaced)]


def _shades(n: int) -> list[str]:
    return [SHADES[1 + round(3 * i / max(n - 1, 1))] for i in range(n)]
