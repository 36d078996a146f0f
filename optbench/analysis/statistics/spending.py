"""The error rate of each look at a study that is analyzed while it grows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optbench.records import ALPHA, Look

FIRST_LOOK = 4
"""Replicates of the first look; each further look has twice as many as the one before."""


def spent(share: float, alpha: float = ALPHA) -> float:
    """Return the part of `alpha` that may be spent up to a share of the study.

    About a third is spent in the first quarter, so that a study with clear differences ends early.
    A rule in the manner of O'Brien and Fleming spends next to nothing there.

    Args:
        share: Replicates so far / largest number of replicates, in [0, 1].
        alpha: Error rate of the whole study.

    Source: Lan & DeMets 1983, the spending function that is like Pocock's boundaries.
    """
    return alpha * math.log(1 + (math.e - 1) * min(max(share, 0.0), 1.0))


def look_sizes(most: int) -> list[int]:
    """Return the numbers of replicates at which a study is analyzed, up to the largest one.

    Args:
        most: Largest number of replicates, at least 1.

    Example:
        >>> look_sizes(32), look_sizes(20), look_sizes(3)
        ([4, 8, 16, 32], [4, 8, 16, 20], [3])
    """
    sizes, size = [], FIRST_LOOK
    while size < most:
        sizes.append(size)
        size *= 2
    return [*sizes, most]


def planned_looks(sizes: Sequence[int], most: int) -> list[Look]:
    """Return the looks of a study with the level at which to decide at each of them.

    The levels add up to at most `ALPHA`, and to exactly `ALPHA` if the last look is at the full
    size. So the error rate of all looks together is at most `ALPHA`, whatever their joint
    distribution is. A look may be added at any size, if the reason does not depend on the results.

    Args:
        sizes: Replicates at each look, ascending.
        most: Largest number of replicates.

    Example:
        >>> [round(look.level, 4) for look in planned_looks([4, 8, 16, 32], 32)]
        [0.0097, 0.0081, 0.0131, 0.019]
    """
    totals = [spent(n / most) for n in sizes]
    return [
        Look(replicates=size, level=total - before)
        for size, total, before in zip(sizes, totals, [0.0, *totals], strict=False)
    ]


def extended_looks(looks: Sequence[Look], replicates: int) -> list[Look]:
    """Return the looks of a study that is extended after its planned end.

    An extension is decided on with the results in view, so the further look costs a further part of
    the error rate: half of `ALPHA` for the first extension, a quarter for the second, and so on.
    All looks together stay below twice `ALPHA`, however often a study is extended.

    Args:
        looks: Looks so far.
        replicates: Number of replicates after the extension.

    Example:
        >>> looks = extended_looks([Look(replicates=6, level=0.05)], 10)
        >>> [(look.replicates, round(look.level, 4)) for look in extended_looks(looks, 14)]
        [(6, 0.05), (10, 0.025), (14, 0.0125)]
    """
    beyond = sum(look.level for look in looks) - ALPHA  # spent by earlier extensions
    level = ALPHA / 2 if beyond < ALPHA / 4 else (ALPHA - beyond) / 2
    return [*looks, Look(replicates=replicates, level=level)]


def level_of_either(first: Sequence[Look], second: Sequence[Look]) -> float:
    """Return a level at which two studies may be compared, whichever of their looks they ended at.

    Two studies are compared on the replicates that both have, so on those of a look of one of them,
    and the level is at most that of this look. Where one study ended earlier than the other, but
    had the same looks until then, the levels of all looks that may have been the last one add up to
    `ALPHA`. Where the looks differ, those of both studies count, and each gets half.

    Args:
        first, second: Looks of each study; empty for a study that was analyzed once.

    Example:
        >>> looks = planned_looks([4, 8, 16], 32)
        >>> round(level_of_either(looks, looks[:2]), 4), level_of_either((), ())
        (0.0081, 0.05)
    """
    levels = [look.level for look in (*first, *second)]
    shared = min(len(first), len(second))
    is_same = tuple(first[:shared]) == tuple(second[:shared])
    return min(levels, default=ALPHA) / (1 if is_same else 2)
