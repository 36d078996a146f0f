"""Initializers against each other, in networks of many layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from optbench.contracts import Array
from optbench.inspection.signals import Signals
from optbench.report.format.palette import Look, assign_looks
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming

EDGE = 1e14
"""Factor up to which a comparison of initializers is drawn, and down to its reciprocal."""


def draw_comparison(found: Sequence[Signals], activation: str, width: int) -> base.Sheet:
    """Initializers against each other: signal by depth, gradient by distance from the output."""
    curves = {naming.shown(signals.initializer): signals for signals in found}
    labels = sorted(curves)  # dashed ones come last, and lie on top
    seen = assign_looks(labels)
    dashed = len({look.colour for look in seen.values()}) < len(seen)
    right = 0.3 + 0.075 * max(map(len, labels))
    legend = naming.legend_shape(labels, 2 * (0.6 + 3.2 + right) + 0.1)[1] if dashed else 0.0
    made = base.sheet(
        f"Initializers from 2 to {len(found[0].forward)} layers of {width} {activation} units",
        "Signal: mean square of z in each layer over that of the first. Gradient: what arrives, "
        "over what the last hidden layer has.\nA flat line trains at any depth; a falling one "
        "fades, a rising one explodes. A thin line at an edge goes on beyond it.",
        n=2,
        columns=2,
        width=3.2,
        height=2.9,
        right=right,
        legend=legend,
    )
    forth = {label: curves[label].forward for label in labels}
    back = {label: curves[label].backward[::-1] for label in labels}
    _by_depth(made.axes[0], "signal, by layer", "layer", forth, seen)
    _by_depth(
        made.axes[1],
        "gradient, by layers below the last",
        "layers below the last hidden one",
        back,
        seen,
    )
    if dashed:
        naming.legend(made, labels, seen)
    return made


def _by_depth(
    axes: Axes, title: str, xlabel: str, many: Mapping[str, Array], seen: dict[str, Look]
) -> None:
    """Each curve over its first value, up to `EDGE`, and along it where it is beyond."""
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    ends, edges = {}, set()
    for label, values in many.items():
        first = values[0] if len(values) and values[0] > 0 else np.nan
        with np.errstate(over="ignore"):
            relative = np.where(values > 0, values / first, np.nan)
        if not np.isfinite(relative).any():
            continue
        within = np.clip(relative, 1 / EDGE, EDGE)
        beyond = within != relative
        steps = np.arange(1, len(within) + 1)
        how = {"color": seen[label].colour, "linestyle": base.linestyle(seen[label])}
        crossing = beyond & np.concatenate(([True], beyond[:-1]))
        axes.plot(steps, np.where(crossing, np.nan, within), linewidth=1.3, **how)
        axes.plot(steps, np.where(beyond, within, np.nan), linewidth=0.5, **how)
        edges |= set(within[beyond & np.isfinite(within)].tolist())
        last = int(np.flatnonzero(np.isfinite(within))[-1])
        ends[label] = (float(steps[last]), float(within[last]))
    axes.set_xlim(1, max(*map(len, many.values()), 2))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    everything = [y for _, y in ends.values()] or [1.0]
    low, high = min(*everything, 0.1) / 3, max(*everything, 10) * 3
    base.log_axis(axes, "y", low, high, most=7)
    _mark_edges(axes, sorted(edges))
    naming.label_ends(axes, ends, seen, size=7)


def _mark_edges(axes: Axes, edges: Sequence[float]) -> None:
    """Ticks that say that curves go on beyond them."""
    if not edges:
        return
    inside = [t for t in axes.get_yticks() if all(abs(np.log10(t / e)) > 1.5 for e in edges)]
    ticks = sorted([*inside, *edges])
    texts = [
        f"{'≥' if t > 1 else '≤'} {base.short(t)}" if t in edges else base.short(t) for t in ticks
    ]
    axes.set_yticks(ticks, texts)
