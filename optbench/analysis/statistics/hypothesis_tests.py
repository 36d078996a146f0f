"""Small statistics written out.

They are not taken from scipy.stats, because its import takes longer than a whole leaderboard. The
tests compare their results with those of scipy.stats.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from optbench.contracts import Array


def wilson(count: int, total: int) -> tuple[float, float]:
    """Return the 95% Wilson interval of a rate; (0, 1) if nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    p, z2 = count / total, z * z / total
    centre = (p + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * math.sqrt(p * (1 - p) / total + z2 / (4 * total))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return (0.0 if count == 0 else low), (1.0 if count == total else high)


def average_ranks(values: npt.ArrayLike, axis: int = 0) -> Array:
    """Return ranks along an axis, 1 for the smallest, averaged over ties."""
    x = np.moveaxis(np.asarray(values, dtype=float), axis, -1)
    order = np.argsort(x, axis=-1)
    ordered = np.take_along_axis(x, order, axis=-1)
    n = x.shape[-1]
    place = np.arange(n)
    new = np.ones(x.shape, dtype=bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    last = np.roll(new, -1, axis=-1)  # where the next value is another one, or there is none
    first = np.maximum.accumulate(np.where(new, place, 0), axis=-1)
    end = np.minimum.accumulate(np.where(last, place, n)[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(x.shape)
    np.put_along_axis(ranks, order, (first + end) / 2 + 1, axis=-1)
    return np.moveaxis(ranks, -1, axis)


def t_quantile(df: float, p: float = 0.975) -> float:
    """Return a quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))
