"""Initializers compared in networks of many layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from optbench.contracts import Array
from optbench.inspection.signals import Signals
from optbench.report.format.palette import Look, assign_looks
from optbench.report.plots.labels import add_legend, cut_label, label_ends, legend_shape
from optbench.report.plots.marks import dash_pattern
from optbench.report.plots.scales import set_log_axis, tick_text
from optbench.report.plots.sheets import Sheet, make_sheet

EDGE = 1e14
"""Curves are drawn up to this factor and down to its reciprocal, and along it beyond."""
PANEL_WIDTH_INCHES = 3.2
LEFT_INCHES = 0.6
LABEL_LETTER_INCHES = 0.075
EDGE_DECADES = 1.5
"""Ticks nearer to the tick of an edge are left out."""


def draw_comparison(results: Sequence[Signals], activation: str, width: int) -> Sheet:
    """Draw signals by depth, and gradients by distance from the output.

    Args:
        results: Signals of one network for each initializer.
        activation: Activation of the networks.
        width: Units of a hidden layer.
    """
    by_label = {cut_label(signals.initializer): signals for signals in results}
    labels = sorted(by_label)  # dashed ones come last, and lie on top
    looks = assign_looks(labels)
    dashed = len({look.colour for look in looks.values()}) < len(looks)
    right = 0.3 + LABEL_LETTER_INCHES * max(map(len, labels))
    sheet_width = 2 * (LEFT_INCHES + PANEL_WIDTH_INCHES + right) + 0.1
    sheet = make_sheet(
        f"Initializers from 2 to {len(results[0].forward)} layers of {width} {activation} units",
        "Signal: mean square of z in each layer over that of the first. Gradient: what arrives, "
        "over what the last hidden layer has.\nA flat line trains at any depth; a falling one "
        "fades, a rising one explodes. A thin line at an edge goes on beyond it.",
        n=2,
        columns=2,
        width=PANEL_WIDTH_INCHES,
        height=2.9,
        left=LEFT_INCHES,
        right=right,
        legend=legend_shape(labels, sheet_width)[1] if dashed else 0.0,
    )
    forward, backward = sheet.axes
    forward.set_title("signal, by layer")
    forward.set_xlabel("layer")
    _draw_curves(forward, {k: by_label[k].forward for k in labels}, looks)
    backward.set_title("gradient, by layers below the last")
    backward.set_xlabel("layers below the last hidden one")
    _draw_curves(backward, {k: by_label[k].backward[::-1] for k in labels}, looks)
    if dashed:
        add_legend(sheet, labels, looks)
    return sheet


def _draw_curves(axes: Axes, curves: Mapping[str, Array], looks: dict[str, Look]) -> None:
    """Draw each curve relative to its first value, up to `EDGE`, and along it beyond."""
    ends: dict[str, tuple[float, float]] = {}
    edges: set[float] = set()
    for label, values in curves.items():
        first = values[0] if len(values) and values[0] > 0 else np.nan
        with np.errstate(over="ignore"):
            relative = np.where(values > 0, values / first, np.nan)
        if not np.isfinite(relative).any():
            continue
        within = np.clip(relative, 1 / EDGE, EDGE)
        _draw_curve(axes, within, within != relative, looks[label])
        edges |= set(within[(within != relative) & np.isfinite(within)].tolist())
        last = int(np.flatnonzero(np.isfinite(within))[-1])
        ends[label] = (last + 1.0, float(within[last]))
    axes.set_xlim(1, max(*map(len, curves.values()), 2))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    heights = [y for _, y in ends.values()] or [1.0]
    set_log_axis(axes, "y", min(*heights, 0.1) / 3, max(*heights, 10) * 3, most=7)
    _mark_edges(axes, sorted(edges))
    label_ends(axes, ends, looks, size=7)


def _draw_curve(axes: Axes, within: Array, beyond: Array, look: Look) -> None:
    """Draw a curve, thin where it is at an edge because its values are beyond."""
    steps = np.arange(1, len(within) + 1)
    crossing = beyond & np.concatenate(([True], beyond[:-1]))
    for y, width in (
        (np.where(crossing, np.nan, within), 1.3),
        (np.where(beyond, within, np.nan), 0.5),
    ):
        axes.plot(steps, y, linewidth=width, color=look.colour, linestyle=dash_pattern(look))


def _mark_edges(axes: Axes, edges: Sequence[float]) -> None:
    """Add ticks that say that curves go on beyond them."""
    if not edges:
        return
    ticks = axes.get_yticks()
    inside = [t for t in ticks if all(abs(np.log10(t / e)) > EDGE_DECADES for e in edges)]
    texts = {t: tick_text(t) for t in inside}
    texts |= {e: f"{'≥' if e > 1 else '≤'} {tick_text(e)}" for e in edges}
    axes.set_yticks(sorted(texts), [texts[t] for t in sorted(texts)])
