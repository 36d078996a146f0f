"""The bootstrap over seeds: which runs are drawn, and the interval of the results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.analysis.statistics.hypothesis_tests import t_quantile
from optbench.contracts import Array

MOST_SAMPLED_VALUES = 2e7
"""Values in all bootstrap samples together, which limits samples and time in large studies."""


def bootstrap_rng() -> np.random.Generator:
    """Return a generator that gives the same study the same intervals at every call."""
    return np.random.default_rng([0, 3])


def bootstrap_draws(
    rng: np.random.Generator, draws: int, counts: Sequence[int] | Array
) -> tuple[Array, Array]:
    """Draw indices of a stratified bootstrap that is right for few seeds.

    From a stratum of n, n - 1 are drawn with replacement (Rao & Wu 1988), so that the variance of a
    mean is s^2 / n. Drawing n would give (n - 1) / n of it, and with 5 seeds intervals that are 10%
    too short. The only member of a stratum of 1 is always drawn, and adds no variance.

    Args:
        rng: Source of randomness.
        draws: Number of bootstrap samples B.
        counts: Size n of each of the W strata.

    Returns:
        Indices, shape (B, W, m), with m = max(n) - 1 or 1; and a mask (W, m) of the used ones.
    """
    sizes = np.asarray(counts, dtype=int)
    take = np.maximum(sizes - 1, 1)
    m = int(take.max(initial=1))
    u = rng.random((draws, len(sizes), m))
    index = np.minimum((u * sizes[:, None]).astype(np.int64), np.maximum(sizes - 1, 0)[:, None])
    return index, np.arange(m) < take[:, None]


def draws_for(n_values: int, most: int = 2000) -> int:
    """Return the number of bootstrap samples to draw, given the number of values in each."""
    return int(np.clip(MOST_SAMPLED_VALUES / max(n_values, 1), 200, most))


def tail_probability(df: float) -> float:
    """Return the probability of a normal distribution beyond the 97.5% point of Student's t."""
    from scipy.special import ndtr

    return float(ndtr(-t_quantile(max(df, 1.0))))
