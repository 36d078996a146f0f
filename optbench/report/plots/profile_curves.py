"""Performance profiles: the share of workloads solved within a multiple of the best time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.view_records import Profile
from optbench.report.format.palette import Look, named_labels
from optbench.report.plots.labels import (
    LABEL_LETTER_INCHES,
    add_legend,
    fits_directly,
    label_ends,
    legend_shape,
    rest_note,
)
from optbench.report.plots.marks import REST_POINTS, dash_pattern
from optbench.report.plots.scales import set_log_axis, set_percent_axis
from optbench.report.plots.sheets import Sheet, make_sheet

AXIS_NAMES = {"examples": "examples seen", "seconds": "seconds of training"}
"""The cost axes that are drawn, with their titles."""
LEGEND_WIDTH_INCHES = 7.9
SHIFT = 0.004
"""Vertical distance of curves with equal steps, so that all stay visible."""


def drawn_profiles(board: Leaderboard) -> list[Profile]:
    """Return the profiles that have curves, on the axes that are drawn."""
    return [p for p in board.profiles if p.axis in AXIS_NAMES and p.rho]


def draw_profiles(board: Leaderboard, looks: dict[str, Look]) -> Sheet:
    """Draw the share of workloads solved within tau times the best time, on two cost axes."""
    profiles = drawn_profiles(board)
    everyone = {label for profile in profiles for label in profile.rho}
    labels = named_labels(everyone, looks)
    direct = fits_directly(labels)
    letters = max(map(len, labels), default=0) if direct else 0
    sheet = make_sheet(
        "Performance profiles: time to target",
        "Share of the workloads on which the target loss was reached within τ times the best time "
        "of\nany optimizer. At τ = 1: how often it was the fastest. Higher is better."
        + rest_note(len(everyone) - len(labels)),
        n=len(profiles),
        columns=2,
        width=3.1,
        height=2.3,
        left=0.7,
        right=0.25 + LABEL_LETTER_INCHES * letters,
        legend=0 if direct else legend_shape(labels, LEGEND_WIDTH_INCHES)[1],
    )
    for axes, profile in zip(sheet.axes, profiles, strict=True):
        _draw_panel(axes, profile, looks, direct)
    sheet.axes[0].set_ylabel("workloads solved")
    if not direct:
        add_legend(sheet, labels, looks)
    return sheet


def _draw_panel(axes: Axes, profile: Profile, looks: dict[str, Look], direct: bool) -> None:
    axes.set_title(AXIS_NAMES[profile.axis])
    set_log_axis(axes, "x", 1, max(profile.tau[-1], 1.01))
    axes.set_ylim(-0.03, 1.03)
    set_percent_axis(axes)
    axes.set_xlabel("τ: time / best time")
    ends = {}
    in_order = sorted(profile.rho.items(), key=lambda item: (not looks[item[0]].is_rest, item[0]))
    for i, (label, rho) in enumerate(in_order):
        axes.step(
            profile.tau,
            np.array(rho) + SHIFT * (i - (len(profile.rho) - 1) / 2) * min(1, 10 / len(in_order)),
            where="post",
            color=looks[label].colour,
            linestyle=dash_pattern(looks[label]),
            linewidth=REST_POINTS if looks[label].is_rest else 1.5,
        )
        ends[label] = (profile.tau[-1], rho[-1])
    if direct:
        label_ends(axes, {label: ends[label] for label in named_labels(ends, looks)}, looks)
