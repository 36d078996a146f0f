"""Convergence curves: validation loss against examples seen, one sheet for each regime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes

from optbench.contracts import Array
from optbench.report.format.curve_bands import Band, band
from optbench.report.format.palette import Look, named_labels
from optbench.report.format.panels import Panel
from optbench.report.format.workload_titles import common_note
from optbench.report.plots.labels import (
    add_legend,
    fits_directly,
    label_ends,
    needs_legend,
    rest_note,
)
from optbench.report.plots.marks import (
    LINE_POINTS,
    REST_POSITIONS,
    draw_bands,
    draw_lines,
    draw_rest,
    mark_diverged,
    rest_band,
)
from optbench.report.plots.regime_sheets import REGIME_TITLES, make_regime_sheet
from optbench.report.plots.scales import note_empty, positive_limits, set_log_axis
from optbench.report.plots.sheets import Sheet

DEEPEST_BAND = 5
"""Limits leave out what of a band lies below the median divided by this."""
HIGHEST_OTHERS = 3.0
"""Entrants without a name are shown up to so many times the highest loss of the named ones."""


def draw_convergence(regime: str, panels: Sequence[Panel], looks: dict[str, Look]) -> Sheet:
    """Draw the median over seeds, in a band between the quartiles."""
    everyone = {label for panel in panels for label in panel.cells}
    labels = named_labels(everyone, looks)
    direct = fits_directly(labels)
    runs = max(len(cell.evaluation) for panel in panels for cell in panel.cells.values())
    meaning = "median" + (
        f" of {runs} runs, band between the quartiles" if runs > 1 else ", one run"
    )
    sheet = make_regime_sheet(
        f"Convergence, {REGIME_TITLES.get(regime, regime)}",
        f"Validation loss against examples seen (gradients computed): {meaning}. Lower is better.\n"
        f"A cross: there the median run diverged.{common_note([p.workload for p in panels])}"
        + rest_note(len(everyone) - len(labels)),
        [panel.title for panel in panels],
        labels,
        columns=3,
        xlabel="examples seen",
    )
    for axes, panel in zip(sheet.axes, panels, strict=True):
        _draw_panel(axes, panel, looks, direct)
    if needs_legend(labels):
        add_legend(sheet, labels, looks)
    return sheet


def _draw_panel(axes: Axes, panel: Panel, looks: dict[str, Look], direct: bool) -> None:
    all_bands = {label: band(cell.evaluation) for label, cell in panel.cells.items()}
    bands = {k: b for k, b in all_bands.items() if (np.isfinite(b.mid) & (b.x > 0)).any()}
    if not bands:
        note_empty(axes, "every run diverged at once")
        return
    lit = [b for label, b in bands.items() if not looks[label].is_rest]
    limits = loss_limits(bands.values(), lit)
    x_limits = positive_limits(np.concatenate([b.x[b.x > 0] for b in bands.values()]), 0.0)
    if limits is None or x_limits is None:
        note_empty(axes, "no positive loss to show")
        return
    set_log_axis(axes, "y", *limits, most=6)
    set_log_axis(axes, "x", *x_limits, most=5)
    _draw_others(axes, [b for label, b in all_bands.items() if looks[label].is_rest], x_limits)
    after_start = [(b.x > 0, b, looks[k]) for k, b in bands.items() if not looks[k].is_rest]
    draw_bands(
        axes,
        [
            (b.x[rows], b.low[rows], np.minimum(b.high[rows], limits[1]), look)
            for rows, b, look in after_start
            if np.nanmax(b.high - b.low, initial=0.0) > 0
        ],
    )
    draw_lines(axes, [(b.x[rows], b.mid[rows], look) for rows, b, look in after_start], LINE_POINTS)
    ends = {k: _end(b.x, b.mid) for k, b in bands.items() if not looks[k].is_rest}
    for label, end in ends.items():
        if bands[label].is_lost:
            mark_diverged(axes, *end, looks[label])
    if direct:
        label_ends(axes, {label: ends[label] for label in sorted(ends)}, looks)


def _draw_others(axes: Axes, bands: Sequence[Band], x_limits: tuple[float, float]) -> None:
    """Draw the medians of the entrants in gray as one band."""
    curves = [(b.x[b.x > 0], b.mid[b.x > 0]) for b in bands if (b.x > 0).any()]
    x = np.geomspace(*x_limits, REST_POSITIONS)
    draw_rest(axes, x, *rest_band(curves, x))


def loss_limits(bands: Iterable[Band], lit: Sequence[Band]) -> tuple[float, float] | None:
    """Return limits that hold all medians, and the lower ends of bands that are not too wide.

    Far above the named ones, others that diverge are cut off, or the named ones would be flat.

    Args:
        bands: Bands of all entrants.
        lit: Those of the named ones.
    """
    every, named = _all_limits(bands), _all_limits(lit)
    if every is None or named is None:
        return every
    return every[0], min(every[1], named[1] * HIGHEST_OTHERS)


def _all_limits(bands: Iterable[Band]) -> tuple[float, float] | None:
    after_start = [(b.mid[b.x > 0], b.low[b.x > 0]) for b in bands]
    medians = [mid for mid, _ in after_start]
    lows = [np.maximum(low, mid / DEEPEST_BAND) for mid, low in after_start]
    return positive_limits(np.concatenate([np.empty(0), *medians, *lows]))


def _end(x: Array, y: Array) -> tuple[float, float]:
    """Return the last point that a logarithmic plot can show."""
    last = np.flatnonzero(np.isfinite(y) & (y > 0) & (x > 0))[-1]
    return float(x[last]), float(y[last])
