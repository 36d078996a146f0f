"""Learning-rate sensitivity: a small panel for each optimizer, one sheet for each regime."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from optbench.analysis.views.lr_profiles import LearningRateProfile
from optbench.report.format.palette import REST, Look
from optbench.report.plots.marks import LINE_POINTS, REST_BAND_OPACITY, draw_points, draw_rings
from optbench.report.plots.regime_sheets import REGIME_TITLES
from optbench.report.plots.scales import note_empty, positive_limits, set_log_axis, set_percent_axis
from optbench.report.plots.sheets import Sheet, make_sheet
from optbench.support.text import count

PANEL_INCHES = (1.2, 0.8)
"""Width and height of a panel."""
COLUMNS = 6
TICK_POINTS = 6.5
DOT_POINTS = 1.6
TRIANGLE_POINTS = 3.5
DOTS = "#8b959f"
"""Color of trials: darker than the band that lies below them."""


def draw_lr_sensitivity(
    regime: str, profiles: Sequence[LearningRateProfile], workloads: int, looks: dict[str, Look]
) -> Sheet:
    """Draw how far the trials of each optimizer came, against the learning rate.

    Args:
        regime: Regime that the title names.
        profiles: One for each panel, in order.
        workloads: Number of workloads.
        looks: Label -> look.
    """
    width, height = PANEL_INCHES
    outliers = sum(int(profile.beyond.sum()) for profile in profiles)
    sheet = make_sheet(
        f"Learning-rate sensitivity, {REGIME_TITLES.get(regime, regime)}",
        "Dots: tuning trials, by the share of the way from the loss before training to the lowest "
        f"of any trial, on a log scale; 0% if diverged. {count(workloads, 'workload')}, best "
        "optimizer first. Line and band: median and middle 80% of the trials near a rate, where "
        "trials differ in nothing else. Rings: the chosen rates." + _outlier_note(outliers),
        n=len(profiles),
        columns=COLUMNS,
        width=width,
        height=height,
        left=0.4,
        right=0.1,
        bottom=0.36,
        between=0.28,
        titles=[profile.label for profile in profiles],
        least=0.9,
    )
    for axes, profile in zip(sheet.axes, profiles, strict=True):
        _draw_panel(axes, profile, looks[profile.label])
    return sheet


def _outlier_note(outliers: int) -> str:
    """Return a sentence about the trials beyond the scale, for the end of the subtitle."""
    if not outliers:
        return ""
    subject = "A triangle is a trial" if outliers == 1 else f"Triangles are {outliers} trials"
    return f" {subject} with a loss far below those of the others, beyond 100%."


def _draw_panel(axes: Axes, profile: LearningRateProfile, look: Look) -> None:
    rates, parts = profile.trials
    limits = positive_limits(rates, 0.04)
    if limits is None:
        note_empty(axes, "no positive rate")
        return
    set_log_axis(axes, "x", *limits, most=3)
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks([0, 0.5, 1])
    set_percent_axis(axes)
    axes.tick_params(labelsize=TICK_POINTS)
    axes.set_xlabel(profile.rate, size=TICK_POINTS, labelpad=1)
    inside = ~profile.beyond
    for shape, mask, size in (("o", inside, DOT_POINTS), ("^", ~inside, TRIANGLE_POINTS)):
        colours = [DOTS] * int(mask.sum())
        draw_points(axes, rates[mask], parts[mask], colours, shape, size, linewidths=0)
    if len(profile.lr):
        axes.fill_between(
            profile.lr, profile.low, profile.high, color=REST, alpha=REST_BAND_OPACITY, linewidth=0
        )
        axes.plot(profile.lr, profile.mid, color=look.colour, linewidth=LINE_POINTS)
    lr, part = profile.chosen
    draw_rings(axes, lr, part, [look.colour] * len(lr), 4)
