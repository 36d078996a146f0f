"""One optimizer, one colour: the same in every plot, page and terminal of a study.

Well-known optimizers have the same color in every study.

The eight colors come from a search that maximizes the smallest distance (OKLab) between any two of
them in normal, protan and deutan vision, among colors with a contrast of at least 3:1 on white and
on the near-black of a dark page. Dash and marker differ as well, so that color is never the only
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
SHAPES = dict(zip(DASHES, ("circle", "square", "diamond", "pill"), strict=True))
"""Shape of a dot: labels of one color differ in it, as their lines do in their dashes."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "p", "<", ">", "d")
"""Names as matplotlib has them."""
SHADES = ("#f3f6f9", "#a9cbe4", "#4a90c2", "#15588f", "#06294d")
"""Light to dark in one hue: the order is seen without color vision, and in print."""
REST = "#c3c9cf"
"""Color of entrants that a crowded picture shows without a name."""


@dataclass(frozen=True)
class Look:
    """The look of one label: a color, a dash (plotly's name), a marker (matplotlib's name)."""

    colour: str
    dash: str = "solid"
    marker: str = "o"

    @property
    def shape(self) -> str:
        """Shape of the dot on a board, one of `SHAPES`."""
        return SHAPES[self.dash]

    @property
    def is_rest(self) -> bool:
        """Whether this is the look of the entrants that have no name in a picture."""
        return self.colour == REST


def highlight(looks: Mapping[str, Look], labels: Iterable[str]) -> dict[str, Look]:
    """Return looks in which only these labels have a color; the others are gray.

    The gray ones come first, so that they are drawn below the others. Labels that would look the
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
    """Return looks in which the labels of each color have dashes from the first one on."""
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

    The color of a well-known optimizer is its own, whatever else is in the study. Any other name
    takes the color of its hash, or the next of those that the study uses least. So do entrants of
    one optimizer with different values, such as ``adam`` and ``adam[beta1=0.5]``, after the first.

    Example:
        >>> assign_looks(["adam", "mine"])["adam"].colour == assign_looks(["adam"])["adam"].colour
        True
    """
    taken = dict.fromkeys(range(len(COLOURS)), 0)
    colours: dict[str, int] = {}
    owners: set[str] = set()
    others = []
    for label in sorted(set(labels), key=lambda label: ("[" in label, label)):
        name = label.partition("[")[0]
        preferred = _well_known().get(name)
        if name in owners or preferred is None:
            others.append((name in owners, label))
        else:
            colours[label] = preferred
            taken[preferred] += 1
        owners.add(name)
    for is_variant, label in sorted(others):
        start = zlib.crc32((label if is_variant else label.partition("[")[0]).encode())
        colours[label] = _least_used(taken, start % len(COLOURS))
        taken[colours[label]] += 1
    return _with_dashes(colours)


def _with_dashes(colours: dict[str, int]) -> dict[str, Look]:
    """Return looks in which labels of one color have different dashes and markers."""
    markers: dict[int, list[str]] = {colour: [] for colour in range(len(COLOURS))}
    looks = {}
    for i, (label, colour) in enumerate(sorted(colours.items())):
        used = markers[colour]
        dash = DASHES[len(used) % len(DASHES)]
        turn = [MARKERS[(i + k) % len(MARKERS)] for k in range(len(MARKERS))]
        used.append(min(turn, key=used.count))
        looks[label] = Look(COLOURS[colour], dash, used[-1])
    return looks


def _least_used(taken: dict[int, int], start: int) -> int:
    """Return the color with the fewest labels, the first one from `start` on."""
    return min(taken, key=lambda colour: (taken[colour], (colour - start) % len(COLOURS)))


@functools.cache
def _well_known() -> dict[str, int]:
    """Return the table of well-known optimizers, which tells apart those often compared."""
    text = Path(__file__).with_name("colours.toml").read_text(encoding="utf-8")
    return {name: i for i, names in enumerate(tomllib.loads(text)["colours"]) for name in names}
