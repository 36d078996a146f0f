"""One optimizer, one colour: the same in every study, plot, page and terminal.

The eight colours come from a search that maximises the smallest distance (OKLab) between any two of
them in normal, protan and deutan vision, among colours with a contrast of at least 3:1 on white and
on the near-black of a dark page. Dash and marker differ as well, so that colour is never the only
difference.
"""

from __future__ import annotations

import functools
import tomllib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

COLOURS = (
    "#006ebb",  # blue
    "#fb5703",  # orange
    "#08a361",  # green
    "#bc1286",  # plum
    "#9b5019",  # brown
    "#821dfd",  # violet
    "#a08cb7",  # lavender
    "#ea14fc",  # fuchsia
)
DASHES = ("solid", "dash", "dot", "dashdot")
"""Names as plotly has them."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "p", "<", ">", "d")
"""Names as matplotlib has them."""
SHADES = ("#f3f6f9", "#a9cbe4", "#4a90c2", "#15588f", "#06294d")
"""Light to dark in one hue: the order is seen without colour vision, and in print."""
REST = "#c3c9cf"
"""Colour of entrants that a crowded picture shows without a name."""
MOST_OF_A_COLOUR = len(DASHES)
"""Labels of one study that share a colour; further ones get the next colour."""


@dataclass(frozen=True)
class Look:
    """The look of one label: a colour, a dash (plotly's name), a marker (matplotlib's name)."""

    colour: str
    dash: str = "solid"
    marker: str = "o"

    @property
    def is_rest(self) -> bool:
        """Whether this is the look of the entrants that have no name in a picture."""
        return self.colour == REST


def highlight(looks: Mapping[str, Look], labels: Iterable[str]) -> dict[str, Look]:
    """Return looks in which only these labels have a colour; the others are grey.

    The grey ones come first, so that they are drawn below the others. Labels that would look the
    same get other dashes.

    Example:
        >>> highlight(assign_looks(["a", "b"]), ["a"])["b"].is_rest
        True
    """
    named = set(labels)
    rest = {label: Look(REST) for label in looks if label not in named}
    lit = {label: look for label, look in looks.items() if label in named}
    if len({(look.colour, look.dash) for look in lit.values()}) < len(lit):
        lit = _with_other_dashes(lit)
    return rest | lit


def _with_other_dashes(looks: Mapping[str, Look]) -> dict[str, Look]:
    """Return looks in which the labels of each colour have dashes from the first one on."""
    counts: dict[str, int] = {}
    dealt = {}
    for label, look in looks.items():
        k = counts[look.colour] = counts.get(look.colour, -1) + 1
        dealt[label] = replace(look, dash=DASHES[k % len(DASHES)])
    return dealt


def named_labels(labels: Iterable[str], looks: Mapping[str, Look]) -> list[str]:
    """Return the labels that a picture names, sorted."""
    return sorted(label for label in set(labels) if not looks[label].is_rest)


def assign_looks(labels: Iterable[str]) -> dict[str, Look]:
    """Give each label a look; order and repetitions of the labels do not matter.

    The colour belongs to the optimizer, whatever else is in the study. Entrants of one optimizer
    with different values, such as ``adam`` and ``adam[beta1=0.5]``, get different colours: the
    first one that of the optimizer, the others colours that the study uses least.

    Example:
        >>> assign_looks(["b", "a"])["a"].colour == assign_looks(["a"])["a"].colour
        True
    """
    ordered = sorted(set(labels), key=lambda label: ("[" in label, label))
    taken = dict.fromkeys(range(len(COLOURS)), 0)
    colours: dict[str, int] = {}
    owners: set[str] = set()
    variants = []
    for label in ordered:
        name = label.partition("[")[0]
        if name in owners:
            variants.append(label)
            continue
        owners.add(name)
        preferred = preferred_colour(name)
        is_free = taken[preferred] < MOST_OF_A_COLOUR
        colours[label] = preferred if is_free else _least_used(taken, preferred)
        taken[colours[label]] += 1
    for label in variants:
        colours[label] = _least_used(taken, zlib.crc32(label.encode()) % len(COLOURS))
        taken[colours[label]] += 1
    return _with_dashes(colours)


def _with_dashes(colours: dict[str, int]) -> dict[str, Look]:
    """Return looks in which labels of one colour have different dashes."""
    counts = dict.fromkeys(range(len(COLOURS)), 0)
    looks = {}
    for i, (label, colour) in enumerate(sorted(colours.items())):
        dash = DASHES[counts[colour] % len(DASHES)]
        counts[colour] += 1
        looks[label] = Look(COLOURS[colour], dash, MARKERS[i % len(MARKERS)])
    return looks


def _least_used(taken: dict[int, int], start: int) -> int:
    """Return the colour with the fewest labels, the first one from `start` on."""
    return min(taken, key=lambda colour: (taken[colour], (colour - start) % len(COLOURS)))


def preferred_colour(name: str) -> int:
    """Return the index of an optimizer's colour: from the table of well-known ones, or a hash."""
    return _well_known().get(name, zlib.crc32(name.encode()) % len(COLOURS))


@functools.cache
def _well_known() -> dict[str, int]:
    """Return the table of well-known optimizers, which tells apart those often compared."""
    text = Path(__file__).with_name("colours.toml").read_text(encoding="utf-8")
    return {name: i for i, names in enumerate(tomllib.loads(text)["colours"]) for name in names}
