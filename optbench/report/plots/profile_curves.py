"""Performance profiles: the share of workloads solved within a multiple of the best time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.view_records import Profile
from optbench.report.format.palette import Look, named_labels
from optbench.report.plots.labels import (
    add_legend,
    direct_inches,
    fits_directly,
    label_ends,
    legend_room,
    needs_legend,
    rest_note,
)
from optbench.report.plots.marks import draw_rest, line_style, rest_band
from optbench.report.plots.scales import set_log_axis, set_percent_axis
from optbench.report.plots.sheets import Sheet, make_sheet

AXIS_NAMES = {"examples": "examples seen", "seconds": "seconds of training"}
"""The cost axes that are drawn, with their titles."""
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
        right=0.25 + direct_inches(labels),
        legend=legend_room(labels),
        titles=[AXIS_NAMES[profile.axis] for profile in profiles],
    )
    for axes, profile in zip(sheet.axes, profiles, strict=True):
        _draw_panel(axes, profile, looks)
    for axes in sheet.left_axes:
        axes.set_ylabel("workloads solved")
    if needs_legend(labels):
        add_legend(sheet, labels, looks)
    return sheet


def _draw_panel(axes: Axes, profile: Profile, looks: dict[str, Look]) -> None:
    set_log_axis(axes, "x", 1, max(profile.tau[-1], 1.01), most=5)
    axes.set_ylim(-0.03, 1.03)
    set_percent_axis(axes)
    axes.set_xlabel("τ: time / best time")
    tau = np.array(profile.tau)
    others = [(tau, np.array(rho)) for k, rho in profile.rho.items() if looks[k].is_rest]
    draw_rest(axes, tau, *rest_band(others, tau))
    named = sorted((k, rho) for k, rho in profile.rho.items() if not looks[k].is_rest)
    for i, (label, rho) in enumerate(named):
        axes.step(
            tau,
            np.array(rho) + SHIFT * (i - (len(named) - 1) / 2),
            where="post",
            **line_style(looks[label]),
        )
    if fits_directly([label for label, _ in named]):
        label_ends(axes, {label: (tau[-1], rho[-1]) for label, rho in named}, looks)
