"""Does the winner depend on the regime? Groups of entrants in each regime, and who changes group.

Lengths are in inches: one unit of either axis is an inch, downwards from the top of the boxes.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from optbench.analysis.views.regime_groups import RegimeGroups
from optbench.analysis.words.board_text import TITLES
from optbench.report.format.palette import REST, Look
from optbench.report.plots.labels import direct_label, longest
from optbench.report.plots.sheet_fit import fit_columns
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet

PITCH_INCHES = 0.145
"""Height of a name in a box."""
GAP_INCHES = 0.13
"""Between two boxes."""
BETWEEN_INCHES = 1.1
"""Between the boxes of two regimes."""
LEAST_BETWEEN_INCHES = 0.2
NUMBER_INCHES = 0.13
"""Room for the number of a group, left of its box."""
POINTS, SMALL_POINTS = 7.0, 6.0
LETTER_INCHES, SMALL_LETTER_INCHES = 0.076, 0.062
SMALL_LETTERS = 10
"""Letters of a name on a narrow sheet."""
LONGEST_NAME = 24
MOST_RIBBON_POINTS = 14.0
"""Width of the line of a path that all entrants in gray take."""


class _Layout(NamedTuple):
    """Where things are.

    Attributes:
        box: Width of a box.
        step: From a box to that of the next regime.
        slots: Label -> height of its name, for each regime.
        tops: Top and bottom of each group, for each regime.
        is_small: Whether names are shortened.
    """

    box: float
    step: float
    slots: list[dict[str, float]]
    tops: list[list[tuple[float, float]]]
    is_small: bool


def draw_regime_slopes(groups: RegimeGroups, looks: dict[str, Look]) -> Sheet:
    """Draw the groups of each regime as boxes, and a line for each entrant that has a color."""
    regimes = len(groups.regimes)
    labels = {label for each in groups.groups for group in each for label in group}
    slots, tops = zip(*(_stack(groups, k) for k in range(regimes)), strict=True)
    depth = max(bounds[-1][1] for bounds in tops)
    box, is_small = LETTER_INCHES * min(longest(sorted(labels)), LONGEST_NAME) + 0.12, False
    natural = regimes * (box + NUMBER_INCHES) + (regimes - 1) * BETWEEN_INCHES
    letters = max(len(direct_label(label, SMALL_LETTERS)) for label in labels)
    small = SMALL_LETTER_INCHES * letters + 0.07
    least = regimes * (small + NUMBER_INCHES) + (regimes - 1) * LEAST_BETWEEN_INCHES
    _, width = fit_columns(1, natural, 0.25, least)
    if width < natural:
        box, is_small = min(small, box), True
    step = (width - NUMBER_INCHES - box) / (regimes - 1)
    others = sum(looks[label].is_rest for label in labels)
    sheet = make_sheet(
        "Does the winner depend on the regime?",
        f"{TITLES[groups.name]}: groups of optimizers within each regime. Group 1: those that may "
        "be the best, by one-sided tests. In each further group, none is shown to be worse than "
        "the first, which is better than the first of the next. Within a group, the order is that "
        "of the board."
        + (f" Gray: the other {others}, wider where more take one path." if others else ""),
        width=natural,
        height=depth + 0.02,
        left=0.15,
        right=0.1,
        bottom=0.08,
        between=0.4,
        least=least,
    )
    layout = _Layout(box, step, list(slots), list(tops), is_small)
    (axes,) = sheet.axes
    axes.set_xlim(0, width)
    axes.set_ylim(depth + 0.02, 0)
    axes.set_axis_off()
    _draw_lines(axes, groups, layout, looks)
    for k, regime in enumerate(groups.regimes):
        _draw_column(axes, k, regime, layout, looks)
    return sheet


def _stack(groups: RegimeGroups, k: int) -> tuple[dict[str, float], list[tuple[float, float]]]:
    """Return the height of each name, and top and bottom of each box, in one regime."""
    slots: dict[str, float] = {}
    bounds = []
    y = 0.0
    for group in groups.groups[k]:
        top = y
        for label in group:
            slots[label] = y + PITCH_INCHES / 2
            y += PITCH_INCHES
        bounds.append((top, y))
        y += GAP_INCHES
    return slots, bounds


def _left(k: int, layout: _Layout) -> float:
    """Return the left edge of the boxes of a regime."""
    return NUMBER_INCHES + k * layout.step


def _draw_column(axes: Axes, k: int, regime: str, layout: _Layout, looks: dict[str, Look]) -> None:
    x = _left(k, layout)
    axes.text(x, -0.1, regime, color=INK, weight="bold", size=8 if layout.is_small else 9)
    for number, (top, bottom) in enumerate(layout.tops[k], 1):
        axes.add_patch(
            Rectangle(
                (x, top),
                layout.box,
                bottom - top,
                facecolor="white",
                edgecolor=SOFT,
                linewidth=0.8,
                clip_on=False,
            )
        )
        axes.text(x - 0.04, (top + bottom) / 2, str(number), ha="right", va="center", color=SOFT)
    for label, y in layout.slots[k].items():
        look = looks[label]
        axes.text(
            x + 0.05,
            y,
            direct_label(label, SMALL_LETTERS if layout.is_small else LONGEST_NAME),
            va="center_baseline",
            color=SOFT if look.is_rest else look.colour,
            weight="normal" if look.is_rest else "bold",
            size=SMALL_POINTS if layout.is_small else POINTS,
        )


def _draw_lines(axes: Axes, groups: RegimeGroups, layout: _Layout, looks: dict[str, Look]) -> None:
    """Draw who goes where: a line for each entrant with a color, a ribbon for all others."""
    rest = [label for label in layout.slots[0] if looks[label].is_rest]
    for k, (here, there) in enumerate(pairwise(layout.slots)):
        start, end = _left(k, layout) + layout.box, _left(k + 1, layout)
        paths = Counter((groups.path(label)[k], groups.path(label)[k + 1]) for label in rest)
        for (one, other), number in paths.items():
            if one is not None and other is not None:
                heights = [sum(layout.tops[j][i - 1]) / 2 for j, i in ((k, one), (k + 1, other))]
                width = MOST_RIBBON_POINTS * number / len(rest)
                axes.plot(
                    [start, end - NUMBER_INCHES],
                    heights,
                    color=REST,
                    linewidth=max(width, 0.6),
                    alpha=0.6,
                    solid_capstyle="butt",
                    zorder=0.9,
                )
        for label in here:
            if label in there and not looks[label].is_rest:
                heights = [here[label], there[label]]
                axes.plot([start, end - NUMBER_INCHES], heights, color=looks[label].colour, lw=1.6)
