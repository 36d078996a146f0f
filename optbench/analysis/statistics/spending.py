"""The error rate of each look at a study that is analysed while it grows."""

from __future__ import annotations

import math
from collections.abc import Sequence


def spent(share: float, alpha: float = 0.05) -> float:
    """Return the part of `alpha` that may be spent up to a share of the study.

    Args:
        share: Replicates so far / largest number of replicates, in [0, 1].
        alpha: Error rate of the whole study.

    Source: Lan & DeMets 1983, the spending function that is like O'Brien & Fleming's boundaries,
    with half of `alpha` on either side.
    """
    from scipy.special import ndtr, ndtri

    if share <= 0:
        return 0.0
    return float(4 * ndtr(ndtri(alpha / 4) / math.sqrt(min(share, 1.0))))


def look_levels(looks: Sequence[int], alpha: float = 0.05) -> list[float]:
    """Return the level at which to decide at each look; the last look is at the full size.

    The levels add up to `alpha`. So the error rate of all looks together is at most `alpha`,
    whatever their joint distribution is.

    Args:
        looks: Replicates at each look, ascending.
        alpha: Error rate of all looks together.

    Example:
        >>> [round(level, 4) for level in look_levels([4, 8, 16, 32])]
        [0.0, 0.0, 0.003, 0.0469]
    """
    totals = [spent(n / looks[-1], alpha) for n in looks]
    return [total - before for total, before in zip(totals, [0.0, *totals], strict=False)]
