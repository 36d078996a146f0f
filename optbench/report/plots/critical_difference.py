"""Critical differences: mean ranks on a line, and bars over those that cannot be told apart.

Lengths are in inches. One unit of the vertical axis is an inch too, counted from the line of ranks
downwards.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from optbench.analysis.board_rows import CriticalDifference
from optbench.report.format.palette import Look
from optbench.report.plots.labels import cut_label, longest
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet

WIDTH_INCHES = 4.2
TOP_INCHES = 0.35
"""Room above the line of ranks."""
SIDE_INCHES = 0.75
"""Room beside the line of ranks, without the letters of the names."""
LETTER_INCHES = 0.095
SCALE_INCHES = 0.31
"""Height of the bar that is as long as the critical difference."""
TICK_INCHES = 0.06
TICK_TEXT_INCHES = 0.09
FIRST_BAR_INCHES = 0.13
BAR_STEP_INCHES = 0.11
FIRST_NAME_INCHES = 0.34
NAME_STEP_INCHES = 0.24
BAR_OVERHANG = 0.02
"""How far a bar extends beyond its ranks, for each rank of the line."""
NAME_MARGIN = 0.03
"""From the end of the line to the end of a name's line, as a share of the line."""
NAME_GAP = 0.02
"""From there to the name."""


def draw_critical_difference(cd: CriticalDifference, looks: dict[str, Look]) -> Sheet:
    """Draw mean ranks on a line; a bar joins those that Nemenyi's test cannot tell apart."""
    side = SIDE_INCHES + LETTER_INCHES * longest(cd.labels)
    depth = _name_depth(cd, _left_names(cd))
    sheet = make_sheet(
        "Critical differences",
        f"Mean rank over {cd.n} workloads, best at the left. A bar joins optimizers that Nemenyi's "
        f"test\n(α = 0.05) cannot tell apart. Friedman: χ² = {cd.chi2:.2f}, p "
        f"{_p_text(cd.p_value)}.",
        width=WIDTH_INCHES,
        height=depth + TOP_INCHES,
        left=side,
        right=side,
        bottom=0.1,
        between=0.25,
    )
    (axes,) = sheet.axes
    axes.set_axis_off()
    axes.set_xlim(1, _last_rank(cd))
    axes.set_ylim(depth, -TOP_INCHES)
    _draw_ranks(axes, cd)
    _draw_bars(axes, cd)
    _draw_names(axes, cd, looks)
    return sheet


def _last_rank(cd: CriticalDifference) -> int:
    return max(len(cd.labels), 2)


def _left_names(cd: CriticalDifference) -> int:
    """Return the number of names on the left: the better half."""
    return (len(cd.labels) + 1) // 2


def _name_depth(cd: CriticalDifference, row: int) -> float:
    """Return how far below the line of ranks a row of names is."""
    return FIRST_NAME_INCHES + BAR_STEP_INCHES * len(cd.bars) + NAME_STEP_INCHES * row


def _draw_ranks(axes: Axes, cd: CriticalDifference) -> None:
    """Draw the line of ranks, and above it a bar as long as the critical difference."""
    last = _last_rank(cd)
    axes.plot([1, last], [0, 0], color=INK, linewidth=1, clip_on=False)
    for rank in range(1, len(cd.labels) + 1):
        axes.plot([rank, rank], [0, -TICK_INCHES], color=INK, linewidth=1, clip_on=False)
        axes.text(rank, -TICK_TEXT_INCHES, str(rank), ha="center", va="bottom", color=SOFT)
    end, height = 1 + min(cd.cd, last - 1), -SCALE_INCHES
    axes.plot([1, end], [height, height], color=SOFT, linewidth=2, clip_on=False)
    axes.text(end + 0.06, height, f"CD = {cd.cd:.2f}", color=SOFT, va="center", size=7.5)


def _draw_bars(axes: Axes, cd: CriticalDifference) -> None:
    overhang = BAR_OVERHANG * _last_rank(cd)
    for i, bar in enumerate(cd.bars):
        ranks = [cd.mean_ranks[cd.labels.index(label)] for label in bar]
        y = FIRST_BAR_INCHES + BAR_STEP_INCHES * i
        axes.plot(
            [min(ranks) - overhang, max(ranks) + overhang],
            [y, y],
            color=INK,
            linewidth=3.4,
            solid_capstyle="round",
            clip_on=False,
        )


def _draw_names(axes: Axes, cd: CriticalDifference, looks: dict[str, Look]) -> None:
    """Write the better half of the names on the left, the others on the right."""
    last = _last_rank(cd)
    span = last - 1
    for i, (label, rank) in enumerate(zip(cd.labels, cd.mean_ranks, strict=True)):
        left = i < _left_names(cd)
        y = _name_depth(cd, i if left else len(cd.labels) - 1 - i)
        end = 1 - NAME_MARGIN * span if left else last + NAME_MARGIN * span
        name, colour = cut_label(label), looks[label].colour
        axes.plot([rank, rank, end], [0, y, y], color=colour, linewidth=1.2, clip_on=False)
        axes.text(
            end + (-NAME_GAP if left else NAME_GAP) * span,
            y,
            f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}",
            ha="right" if left else "left",
            va="center_baseline",
            color=colour,
            weight="bold",
        )


def _p_text(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
