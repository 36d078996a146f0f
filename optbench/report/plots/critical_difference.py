"""Critical differences: values on a line, and bars over those that are not told apart.

Lengths are in inches. One unit of the vertical axis is an inch too, counted from the line of values
downwards.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from optbench.analysis.board_rows import CriticalDifference
from optbench.report.format.palette import REST, Look
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
BAR_POINTS = 3.4
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
REST_BAR_STEP_INCHES = 0.055
"""From one bar to the next where there is a crowd."""
REST_MARK_INCHES = 0.07
"""Half the length of the mark of an entrant without a name."""


def draw_critical_difference(cd: CriticalDifference, looks: dict[str, Look]) -> Sheet:
    """Draw the values of a board on a line; a bar joins those that are not told apart.

    Entrants in gray have a mark on the line and no name.
    """
    left, right = _named(cd, looks)
    is_small = is_narrower_than(WIDTH_INCHES + _side(left, False) + _side(right, False))
    depth = _name_depth(cd, looks, max(len(left), len(right)))
    sheet = make_sheet(
        "Critical differences",
        f"{cd.note[0].upper()}{cd.note[1:]}, best at the left.\n"
        "A bar joins optimizers that cannot be distinguished: no pair has the verdict better."
        + _rest_note(len(cd.labels) - len(left) - len(right)),
        width=WIDTH_INCHES,
        height=depth + TOP_INCHES,
        left=_side(left, is_small),
        right=_side(right, is_small),
        bottom=0.1,
        between=0.25,
        least=LEAST_WIDTH_INCHES,
    )
    (axes,) = sheet.axes
    axes.set_axis_off()
    axes.set_xlim(*_ends(cd))
    axes.set_ylim(depth, -TOP_INCHES)
    _draw_scale(axes, cd)
    _draw_bars(axes, cd, looks)
    _draw_rest(axes, cd, looks)
    for is_left, labels in ((True, left), (False, right)):
        for row, label in enumerate(labels):
            y = _name_depth(cd, looks, row)
            _draw_name(axes, cd, label, y, looks[label].colour, is_left, is_small)
    return sheet


def _named(cd: CriticalDifference, looks: dict[str, Look]) -> tuple[list[str], list[str]]:
    """Return the labels that are written on the left and on the right, from the top.

    These are the better half and the others; in a crowd, those on each half of the line.
    """
    named = [label for label in cd.labels if not looks[label].is_rest]
    half = (len(named) + 1) // 2
    if len(named) < len(cd.labels):
        middle = sum(_ends(cd)) / 2
        value = dict(zip(cd.labels, cd.values, strict=True))
        half = sum(value[label] >= middle for label in named)
    return named[:half], named[half:][::-1]


def _side(labels: list[str], is_small: bool) -> float:
    """Return the room beside the line for the names on one side."""
    if is_small:
        letters = max((len(direct_label(label, SMALL_LETTERS)) for label in labels), default=0)
        return SMALL_SIDE_INCHES + SMALL_LETTER_INCHES * letters
    return SIDE_INCHES + LETTER_INCHES * longest(labels)


def _rest_note(others: int) -> str:
    """Return sentences about what is gray, for the end of the subtitle."""
    if not others:
        return ""
    return f" Gray: the other {others}, and bars with none of those that have a name."


def _ends(cd: CriticalDifference) -> tuple[float, float]:
    """Return the values at the left and at the right end of the line."""
    high, low = max(cd.values), min(cd.values)
    margin = max(LINE_MARGIN * (high - low), LEAST_MARGIN)
    return high + margin, low - margin


def _bar_step(looks: dict[str, Look]) -> float:
    """Return the distance from one bar to the next."""
    crowded = any(look.is_rest for look in looks.values())
    return REST_BAR_STEP_INCHES if crowded else BAR_STEP_INCHES


def _name_depth(cd: CriticalDifference, looks: dict[str, Look], row: int) -> float:
    """Return how far below the line of values a row of names is."""
    return FIRST_NAME_INCHES + _bar_step(looks) * len(cd.bars) + NAME_STEP_INCHES * row


def _draw_scale(axes: Axes, cd: CriticalDifference) -> None:
    """Draw the line of values with a few round numbers."""
    from matplotlib.ticker import MaxNLocator

    left, right = _ends(cd)
    axes.plot([left, right], [0, 0], color=INK, linewidth=1, clip_on=False)
    ticks = [v for v in MaxNLocator(MOST_TICKS).tick_values(right, left) if right <= v <= left]
    decimals = max((len(f"{v:.3g}".partition(".")[2]) for v in ticks), default=0)
    for value in ticks:
        axes.plot([value, value], [0, -TICK_INCHES], color=INK, linewidth=1, clip_on=False)
        axes.text(
            value, -TICK_TEXT_INCHES, f"{value:.{decimals}f}", ha="center", va="bottom", color=SOFT
        )


def _draw_bars(axes: Axes, cd: CriticalDifference, looks: dict[str, Look]) -> None:
    left, right = _ends(cd)
    overhang, step = BAR_OVERHANG * (left - right), _bar_step(looks)
    for i, bar in enumerate(cd.bars):
        values = [cd.values[cd.labels.index(label)] for label in bar]
        y = FIRST_BAR_INCHES + step * i
        is_rest = all(looks[label].is_rest for label in bar)
        axes.plot(
            [max(values) + overhang, min(values) - overhang],
            [y, y],
            color=REST if is_rest else INK,
            linewidth=BAR_POINTS * step / BAR_STEP_INCHES,
            solid_capstyle="round",
            clip_on=False,
        )


def _draw_rest(axes: Axes, cd: CriticalDifference, looks: dict[str, Look]) -> None:
    """Mark the entrants without a name on the line of values."""
    rest = [v for k, v in zip(cd.labels, cd.values, strict=True) if looks[k].is_rest]
    axes.vlines(
        rest, -REST_MARK_INCHES, REST_MARK_INCHES, color=REST, linewidth=1.2, gid="rest", zorder=3
    )


def _draw_name(
    axes: Axes,
    cd: CriticalDifference,
    label: str,
    y: float,
    colour: str,
    is_left: bool,
    is_small: bool,
) -> None:
    """Write a name beside the line of values, and join it to its value."""
    first, last = _ends(cd)
    span = last - first
    value = cd.values[cd.labels.index(label)]
    end = first - NAME_MARGIN * span if is_left else last + NAME_MARGIN * span
    name = direct_label(label, SMALL_LETTERS) if is_small else cut_label(label)
    axes.plot([value, value, end], [0, y, y], color=colour, linewidth=1.2, clip_on=False)
    axes.text(
        end + (-NAME_GAP if is_left else NAME_GAP) * span,
        y,
        f"{name}  {value:.2f}" if is_left else f"{value:.2f}  {name}",
        ha="right" if is_left else "left",
        va="center_baseline",
        color=colour,
        weight="bold",
        size=SMALL_POINTS if is_small else None,
    )
