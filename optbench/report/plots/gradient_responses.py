"""Steps of optimizers over one series of noisy gradients, an optimizer a panel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from optbench.inspection.responses import Response, Series
from optbench.report.format.palette import assign_looks
from optbench.report.plots.labels import cut_label
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet

MOST_COLUMNS = 3
NOISE_COLOUR = "#b9c1c9"
WIDEST = 3.0
"""Steps are drawn up to this multiple of the gradient's size, or else on a scale of their own."""


def draw_responses(series: Series, responses: Sequence[Response]) -> Sheet:
    """Draw the gradients of one coordinate, and the steps that each optimizer makes of them."""
    looks = assign_looks(response.label for response in responses)
    columns = 2 if len(responses) == 4 else MOST_COLUMNS
    sheet = make_sheet(
        "Steps of optimizers on one series of noisy gradients",
        "Gray: the gradients, the same in every panel; black: their mean, which turns from 1 to "
        "-1. In color: steps over learning rate.",
        n=len(responses),
        columns=columns,
        width=2.9,
        height=1.9,
        between=0.56,
    )
    for axes, response in zip(sheet.axes, responses, strict=True):
        _draw_response(axes, series, response, looks[response.label].colour)
    for axes in sheet.bottom_axes:
        axes.set_xlabel("update")
    for axes in sheet.left_axes:
        axes.set_ylabel("gradient, step")
    return sheet


def _draw_response(axes: Axes, series: Series, response: Response, colour: str) -> None:
    updates = np.arange(1, len(series.mean) + 1)
    axes.plot(
        updates,
        series.gradients[:, 0],
        marker=".",
        markersize=3,
        linestyle="none",
        color=NOISE_COLOUR,
        label="gradient",
    )
    axes.plot(
        updates,
        series.mean,
        color=INK,
        linewidth=0.9,
        linestyle="--",
        drawstyle="steps-mid",
        label="its mean",
    )
    axes.plot(updates, response.steps[:, 0], color=colour, linewidth=1.4, label="step")
    axes.set_xlim(0, len(updates))
    axes.set_ylim(-_height(response), _height(response))
    axes.set_title(f"{cut_label(response.label)}\n", color=colour)
    axes.text(
        0.0,
        1.02,
        f"noise {response.noise:.2f} of the gradient's; turns after {response.delay:.0f}",
        transform=axes.transAxes,
        color=SOFT,
        va="bottom",
    )
    axes.legend(loc="lower left", fontsize=6.5, handlelength=1.4, borderaxespad=0.2)


def _height(response: Response) -> float:
    """Return the largest value of an axis: 3, or more for steps that are larger throughout."""
    sizes = np.abs(response.steps[np.isfinite(response.steps)])
    typical = float(np.median(sizes)) if len(sizes) else 1.0
    return max(WIDEST, 2.5 * typical)
