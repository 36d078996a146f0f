"""Many comparisons at once, with one error rate for all of them.

Shaffer's correction needs only p-values and is never stricter than Holm's: when pairs of entrants
are compared, some hypotheses imply others, so that fewer can be true at once. Where there are many
independent units, the joint distribution of the statistics can be estimated, and the step-down
maximum of |t| is a little less strict again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from optbench.analysis.statistics.contrasts import Contrasts, pair_contrasts, t_quantiles
from optbench.contracts import Array

UNITS_PER_ENTRANT = 10
"""Degrees of freedom for each entrant from which the joint distribution is estimated.

With fewer, the largest of many t statistics exceeds its level, since each has a standard error of
its own: in simulations of 28 entrants with 120 degrees of freedom in 9% of studies, of 5 entrants
with 5 degrees of freedom in 11%, instead of 5%. With so many units, it does so in 3 to 6%."""
DRAWS = 20_000
"""Draws of the joint distribution; a p-value of 0.05 is then known to 0.0015."""
_SEED = 0xA11


def holm(p_values: npt.ArrayLike) -> Array:
    """Return p-values after Holm's step-down correction over the last axis."""
    return _step_down_factors(p_values, np.arange(np.shape(p_values)[-1], 0, -1))


def shaffer(p_values: npt.ArrayLike) -> Array:
    """Return p-values of all pairs of k entrants after Shaffer's static correction (S1).

    Args:
        p_values: Shape (..., k (k - 1) / 2), of the hypotheses that two entrants are equal.

    Source: Shaffer 1986, Modified sequentially rejective multiple test procedures.
    """
    pairs = np.shape(p_values)[-1]
    entrants = (1 + math.isqrt(1 + 8 * pairs)) // 2
    return _step_down_factors(p_values, np.array(_shaffer_factors(entrants)))


def _step_down_factors(p_values: npt.ArrayLike, factors: Array) -> Array:
    """Multiply ascending p-values by the factors, and make the result ascend."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, axis=-1, kind="stable")
    stepped = np.minimum(np.take_along_axis(p, order, -1) * factors, 1.0)
    stepped = np.maximum.accumulate(stepped, axis=-1)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, stepped, axis=-1)
    return adjusted


@cache
def _shaffer_factors(entrants: int) -> tuple[int, ...]:
    """Return how many hypotheses can be true when 0, 1, 2, ... of them are false."""
    pairs = entrants * (entrants - 1) // 2
    possible = sorted(_true_counts(entrants))
    return tuple(max(n for n in possible if n <= pairs - i) for i in range(pairs))


@cache
def _true_counts(entrants: int) -> frozenset[int]:
    """Return the numbers of equal pairs that k entrants can have."""
    if entrants < 2:
        return frozenset({0})
    return frozenset(
        math.comb(block, 2) + rest
        for block in range(1, entrants + 1)
        for rest in _true_counts(entrants - block)
    )


def adjusted_p_values(
    contrasts: Contrasts, entrants: int | None = None, p_values: Array | None = None
) -> Array:
    """Return p-values of the family of all contrasts.

    The probability of any false claim of a difference among those with a p-value of at most alpha
    is at most alpha. It is the step-down max-|t| (Romano & Wolf 2005) where there are enough
    independent units, otherwise Shaffer's correction for all pairs of entrants, or Holm's. For the
    comparisons with a baseline, the step-down max-|t| is the test of Dunnett & Tamhane (1991), with
    the correlations that were estimated.

    Args:
        contrasts: The family, shape (P,). Contrasts that cannot be tested do not count.
        entrants: Number of entrants if the contrasts are all their pairs, on common workloads.
        p_values: p-values of each contrast by itself, shape (P,); by default those of Student's t.

    Returns:
        Shape (P,); 1 where a contrast cannot be tested.
    """
    testable = contrasts.testable
    single = contrasts.p_value if p_values is None else p_values
    adjusted = np.ones(len(testable))
    own = contrasts.take(testable)
    if not own.estimate.size:
        return adjusted
    complete = entrants is not None and own.estimate.size == math.comb(entrants, 2)
    if joint_is_known(own, entrants or own.estimate.size + 1):
        adjusted[testable] = _step_down(own, single[testable])
    else:
        adjusted[testable] = shaffer(single[testable]) if complete else holm(single[testable])
    return adjusted


def joint_is_known(contrasts: Contrasts, entrants: int) -> bool:
    """Return whether there are enough units to estimate the joint distribution."""
    if contrasts.estimate.size < 2:
        return False
    return float(np.median(contrasts.df)) >= UNITS_PER_ENTRANT * entrants


def _step_down(contrasts: Contrasts, p_values: Array) -> Array:
    df = float(np.median(contrasts.df))
    # on one scale: each t is replaced by the value that has its p-value with `df`
    size = -t_quantiles(np.full(len(contrasts.df), df), p_values / 2)
    order = np.argsort(-size, kind="stable")
    largest = np.abs(joint_draws(contrasts, df))[:, order]
    largest = np.maximum.accumulate(largest[:, ::-1], axis=1)[:, ::-1]  # of those not yet rejected
    p = (1 + (largest >= size[order]).sum(axis=0)) / (1 + len(largest))
    adjusted = np.empty_like(size)
    adjusted[order] = np.maximum.accumulate(p)
    return np.maximum(adjusted, p_values)


def joint_draws(contrasts: Contrasts, df: float) -> Array:
    """Return draws of all t statistics when every contrast is 0, shape (draws, P).

    Every independent unit is multiplied by a normal variable of its own, so the correlations are
    those of the residuals; a common divisor makes Student's t of the normal variables.
    """
    rng = np.random.default_rng(_SEED)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = np.where(contrasts.error > 0, contrasts.residuals / contrasts.error, 0.0)
    normal = rng.standard_normal((DRAWS, len(unit))) @ unit
    return np.asarray(normal / np.sqrt(rng.chisquare(df, size=(DRAWS, 1)) / df))


def may_be_best(
    values: Array,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = 0.05,
    tested: Array | None = None,
    least_errors: npt.ArrayLike = 0.0,
) -> Array:
    """Return which entrants may be the best; the best one is among them with 1 - alpha.

    An entrant is out when another one is better by more than the one-sided critical value of its
    comparisons with all others: k - 1 comparisons instead of k (k - 1) / 2, so the set is smaller
    than what all pairs would leave.

    Args:
        values: Shape (entrants, workloads, replicates), higher is better.
        clusters: As for `pair_contrasts`.
        alpha: Probability that the best one is missing.
        tested: Which pairs are tested, shape (entrants, entrants); by default all of them.
        least_errors: Least standard error of the mean of each entrant, shape (entrants,).

    Returns:
        Booleans, shape (entrants,). All True where nothing can be tested.

    Source: Hsu 1984, Constrained simultaneous confidence intervals for multiple comparisons with
    the best.
    """
    n = len(values)
    stays, least = np.ones(n, dtype=bool), np.broadcast_to(least_errors, n)
    if alpha <= 0:
        return stays
    for entrant in range(n):
        is_other = np.arange(n) != entrant
        others = np.flatnonzero(is_other if tested is None else is_other & tested[entrant])
        lead = pair_contrasts(values, others, np.full(len(others), entrant), clusters)
        lead = lead.with_least_error(np.hypot(least[others], least[entrant]))
        lead = lead.take(lead.testable)
        if lead.estimate.size:
            stays[entrant] = not (lead.statistic > one_sided_critical(lead, alpha)).any()
    return stays


def one_sided_critical(contrasts: Contrasts, alpha: float) -> Array:
    """Return the value that each t has to exceed for a family error of `alpha` on one side."""
    from scipy.special import stdtr

    count = contrasts.estimate.size
    if not joint_is_known(contrasts, count + 1):
        return t_quantiles(contrasts.df, 1 - alpha / count)
    df = float(np.median(contrasts.df))
    largest = joint_draws(contrasts, df).max(axis=1)
    level = stdtr(df, np.quantile(largest, 1 - alpha))
    return t_quantiles(contrasts.df, level)
