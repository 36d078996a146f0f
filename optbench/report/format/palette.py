"""One optimizer, one colour: the same in every plot, page and terminal.

The eight colours come from a search that maximises the smallest distance (OKLab) between any two of
them in normal, protan and deutan vision, among colours with a contrast of at least 2.5:1 on white
and on near-black. With more than eight labels, the dash and the marker change as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COLOURS = (
    "#2339fe",  # blue
    "#f87507",  # orange
    "#036e59",  # pine
    "#9a05b1",  # purple
    "#39a4fd",  # sky
    "#c60104",  # red
    "#62af8c",  # mint
    "#8c72ac",  # lavender
)
DASHES = ("solid", "dash", "dot", "dashdot")
"""Names as plotly has them."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "p", "<", ">", "d")
"""Names as matplotlib has them."""
SHADES = ("#f3f6f9", "#a9cbe4", "#4a90c2", "#15588f", "#06294d")
"""Light to dark in one hue: the order is seen without colour vision, and in print."""


@dataclass(frozen=True)
class Look:
    """The look of one label: a colour, a dash (plotly's name), a marker (matplotlib's name)."""

    colour: str
    dash: str = "solid"
    marker: str = "o"


def assign_looks(labels: Iterable[str]) -> dict[str, Look]:
    """Give each label a look, by its position in the sorted order; repetitions do not count.

    Example:
        >>> assign_looks(["sgd", "adam"])["adam"].colour == COLOURS[0]
        True
    """
    assigned = {}
    for i, label in enumerate(sorted(set(labels))):
        turn = i // len(COLOURS)
        assigned[label] = Look(
            COLOURS[i % len(COLOURS)], DASHES[turn % len(DASHES)], MARKERS[i % len(MARKERS)]
        )
    return assigned
