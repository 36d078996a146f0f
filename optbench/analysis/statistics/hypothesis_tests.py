"""Statistics written out for small studies: exact where exact is cheap, and vectorised.

They are not taken from scipy.stats, because its import takes longer than a whole leaderboard. The
tests compare their results with those of scipy.stats.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from optbench.analysis.statistics.multiplicity import holm
from optbench.contracts import Array

ALPHA = 0.05
EXACT_UP_TO = 50
"""Number of pairs up to which the Wilcoxon p-value is exact, not a normal approximation."""


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


def iqm(values: npt.ArrayLike) -> Array:
    """Return the mean over the last axis without a quarter (rounded down) at either end."""
    x = np.sort(np.asarray(values, dtype=float), axis=-1)
    n = x.shape[-1]
    cut = int(0.25 * n)
    return np.asarray(x[..., cut : n - cut].mean(axis=-1))


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


# -- Wilcoxon signed-rank ----------------------------------------------------------------------


def wilcoxon(differences: npt.ArrayLike) -> tuple[Array, Array]:
    """Test each row by two-sided signed ranks; zeros are dropped, ties get average ranks.

    The p-value is exact given the ties (all 2^n signs equally likely) up to n = 50, above that
    the normal approximation with the correction for ties.

    Args:
        differences: Shape (rows, n); NaN entries are left out.

    Returns:
        p-values, shape (rows,), 1 for a row without differences; and the sign of the rank sum of
        the positive minus that of the negative differences: 1, 0 or -1.

    Source: Wilcoxon 1945; Hollander, Wolfe & Chicken 2014, section 3.1.
    """
    d = np.atleast_2d(np.asarray(differences, dtype=float))
    used = ~np.isnan(d) & (d != 0)
    sizes = np.where(used, np.abs(d), np.inf)
    ranks = np.where(used, average_ranks(sizes, axis=-1), 0.0)
    plus = np.where(d > 0, ranks, 0).sum(axis=-1)
    minus = np.where(d < 0, ranks, 0).sum(axis=-1)
    p = [
        _signed_rank_p(float(min(a, b)), tuple(sorted((2 * r[u]).astype(int).tolist())))
        for a, b, r, u in zip(plus, minus, ranks, used, strict=True)
    ]
    return np.array(p), np.sign(plus - minus)


def _signed_rank_p(statistic: float, doubled_ranks: tuple[int, ...]) -> float:
    n = len(doubled_ranks)
    if n == 0:
        return 1.0
    if n <= EXACT_UP_TO:
        return min(1.0, 2 * float(_signed_rank_cdf(doubled_ranks)[round(2 * statistic)]))
    ranks = np.array(doubled_ranks) / 2
    z = (statistic - ranks.sum() / 2) / math.sqrt(float((ranks**2).sum()) / 4)
    return min(1.0, math.erfc(abs(z) / math.sqrt(2)))


@cache
def _signed_rank_cdf(doubled_ranks: tuple[int, ...]) -> Array:
    """Return P(sum of a random subset of the doubled ranks <= s) for s = 0, 1, ..."""
    chance = np.zeros(sum(doubled_ranks) + 1)
    chance[0] = 1.0
    for rank in doubled_ranks:
        shifted = np.zeros_like(chance)
        shifted[rank:] = chance[: len(chance) - rank]
        chance = (chance + shifted) / 2
    return np.cumsum(chance)


def least_p_value(n: int) -> float:
    """Return the smallest p-value that the signed-rank test can have on n workloads."""
    return float(wilcoxon(np.arange(1.0, n + 1))[0][0])


@cache
def workloads_needed(pairs: int) -> int:
    """Return the fewest workloads with which the test can separate one of this many pairs.

    It applies the test with Holm's correction to one pair as clear as possible among equal ones.
    """
    others = [1.0] * (pairs - 1)
    sizes = range(1, 2 * EXACT_UP_TO)
    return next(n for n in sizes if holm([least_p_value(n), *others])[0] < ALPHA)


# -- Friedman and Nemenyi ----------------------------------------------------------------------


def friedman(mean_ranks: npt.ArrayLike, n: int) -> tuple[float, float, float | None]:
    """Return Friedman's chi-squared from mean ranks of k entrants on n workloads.

    Returns:
        chi2; its p-value (k - 1 degrees of freedom); Iman and Davenport's F, or None where it is
        infinite, because all workloads rank the entrants in the same order.

    Source: Demsar 2006, Statistical comparisons of classifiers over multiple data sets, 3.2.2.
    """
    from scipy.special import chdtrc

    r = np.asarray(mean_ranks, dtype=float)
    k = len(r)
    chi2 = 12 * n / (k * (k + 1)) * (float((r**2).sum()) - k * (k + 1) ** 2 / 4)
    chi2 = max(chi2, 0.0)
    rest = n * (k - 1) - chi2
    f = (n - 1) * chi2 / rest if rest > 1e-12 else None
    return chi2, float(chdtrc(k - 1, chi2)), f


@cache
def nemenyi_q(k: int, alpha: float = ALPHA) -> float:
    """Return the critical value of the studentized range of k groups (infinite df) / sqrt 2."""
    from scipy.special import ndtr

    z = np.linspace(-8.5, 8.5, 2001)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    below = ndtr(z)

    def beyond(q: float) -> float:
        inside = k * density * (below - ndtr(z - q)) ** (k - 1)
        return 1 - float(inside.sum() * (z[1] - z[0]))

    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > alpha else (low, middle)
    return (low + high) / 2 / math.sqrt(2)


def critical_difference(k: int, n: int, alpha: float = ALPHA) -> float:
    """Return the smallest difference of mean ranks that is significant by the Nemenyi test."""
    return nemenyi_q(k, alpha) * math.sqrt(k * (k + 1) / (6 * n))


def t_quantile(df: float, p: float = 1 - ALPHA / 2) -> float:
    """Return a quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))
