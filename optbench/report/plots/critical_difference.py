"""Critical differences: values on a line, and bars over those that are not told apart.

Lengths are in inches. One unit of the vertical axis is an inch too, counted from the line of values
downwards.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from optbench.analysis.board_rows import CriticalDifference
from optbench.report.format.palette import Look
from optbench.report.plots.labels import cut_label, direct_label, longest
from optbench.report.plots.sheet_fit import is_narrower_than
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet

WIDTH_INCHES = 4.2
TOP_INCHES = 0.35
"""Room above the line of values."""
SIDE_INCHES = 0.75
"""Room beside the line of values, without the letters of the names."""
LETTER_INCHES = 0.095
SMALL_SIDE_INCHES, SMALL_LETTER_INCHES, SMALL_POINTS, SMALL_LETTERS = 0.45, 0.058, 6.0, 11
"""The same on a narrow sheet, and the size of the letters and the most of a name."""
LEAST_WIDTH_INCHES = 0.9
TICK_INCHES = 0.06
TICK_TEXT_INCHES = 0.09
FIRST_BAR_INCHES = 0.13
BAR_STEP_INCHES = 0.11
FIRST_NAME_INCHES = 0.34
NAME_STEP_INCHES = 0.24
MOST_TICKS = 6
LINE_MARGIN = 0.05
"""From the outermost value to the end of the line, as a share of their range."""
LEAST_MARGIN = 0.005
BAR_OVERHANG = 0.01
"""How far a bar extends beyond its values, as a share of the line."""
NAME_MARGIN = 0.03
"""From the end of the line to the end of a name's line, as a share of the line."""
NAME_GAP = 0.02
"""From there to the name."""


def draw_critical_difference(cd: CriticalDifference, looks: dict[str, Look]) -> Sheet:
    """Draw the values of a board on a line; a bar joins those that are not told apart."""
    side = SIDE_INCHES + LETTER_INCHES * longest(cd.labels)
    is_small = is_narrower_than(WIDTH_INCHES + 2 * side)
    if is_small:
        letters = max(len(direct_label(label, SMALL_LETTERS)) for label in cd.labels)
        side = SMALL_SIDE_INCHES + SMALL_LETTER_INCHES * letters
    depth = _name_depth(cd, _left_names(cd))
    sheet = make_sheet(
        "Critical differences",
        f"{cd.note[0].upper()}{cd.note[1:]}, best at the left.\n"
        "A bar joins optimizers of which none is better than another one.",
        width=WIDTH_INCHES,
        height=depth + TOP_INCHES,
        left=side,
        right=side,
        bottom=0.1,
        between=0.25,
        least=LEAST_WIDTH_INCHES,
    )
    (axes,) = sheet.axes
    axes.set_axis_off()
    axes.set_xlim(*_ends(cd))
    axes.set_ylim(depth, -TOP_INCHES)
    _draw_scale(axes, cd)
    _draw_bars(axes, cd)
    _draw_names(axes, cd, looks, is_small)
    return sheet


def _ends(cd: CriticalDifference) -> tuple[float, float]:
    """Return the values at the left and at the right end of the line."""
    high, low = max(cd.values), min(cd.values)
    margin = max(LINE_MARGIN * (high - low), LEAST_MARGIN)
    return high + margin, low - margin


def _left_names(cd: CriticalDifference) -> int:
    """Return the number of names on the left: the better half."""
    return (len(cd.labels) + 1) // 2


def _name_depth(cd: CriticalDifference, row: int) -> float:
    """Return how far below the line of values a row of names is."""
    return FIRST_NAME_INCHES + BAR_STEP_INCHES * len(cd.bars) + NAME_STEP_INCHES * row


def _draw_scale(axes: Axes, cd: CriticalDifference) -> None:
    """Draw the line of values with a few round numbers."""
    from matplotlib.ticker import MaxNLocator

    left, right = _ends(cd)
    axes.plot([left, right], [0, 0], color=INK, linewidth=1, clip_on=False)
    for value in MaxNLocator(MOST_TICKS).tick_values(right, left):
        if right <= value <= left:
            axes.plot([value, value], [0, -TICK_INCHES], color=INK, linewidth=1, clip_on=False)
            axes.text(
                value, -TICK_TEXT_INCHES, f"{value:.3g}", ha="center", va="bottom", color=SOFT
            )


def _draw_bars(axes: Axes, cd: CriticalDifference) -> None:
    left, right = _ends(cd)
    overhang = BAR_OVERHANG * (left - right)
    for i, bar in enumerate(cd.bars):
        values = [cd.values[cd.labels.index(label)] for label in bar]
        y = FIRST_BAR_INCHES + BAR_STEP_INCHES * i
        axes.plot(
            [max(values) + overhang, min(values) - overhang],
            [y, y],
            color=INK,
            linewidth=3.4,
            solid_capstyle="round",
            clip_on=False,
        )


def _draw_names(axes: Axes, cd: CriticalDifference, looks: dict[str, Look], is_small: bool) -> None:
    """Write the better half of the names on the left, the others on the right."""
    first, last = _ends(cd)
    span = last - first
    for i, (label, value) in enumerate(zip(cd.labels, cd.values, strict=True)):
        left = i < _left_names(cd)
        y = _name_depth(cd, i if left else len(cd.labels) - 1 - i)
        end = first - NAME_MARGIN * span if left else last + NAME_MARGIN * span
        name = direct_label(label, SMALL_LETTERS) if is_small else cut_label(label)
        colour = looks[label].colour
        axes.plot([value, value, end], [0, y, y], color=colour, linewidth=1.2, clip_on=False)
        axes.text(
            end + (-NAME_GAP if left else NAME_GAP) * span,
            y,
            f"{name}  {value:.2f}" if left else f"{value:.2f}  {name}",
            ha="right" if left else "left",
            va="center_baseline",
            color=colour,
            weight="bold",
            size=SMALL_POINTS if is_small else None,
        )
