"""Few seeds are resampled with the right variance, and the intervals are as wide as Student's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from optbench.analysis.statistics import bootstrap


def test_bootstrap_of_five_seeds_has_the_variance_of_the_mean() -> None:
    """Drawing n - 1 gives s^2 / n; drawing n would give 4/5 of it."""
    values = np.random.default_rng(0).normal(size=5)
    index, mask = bootstrap.bootstrap_draws(bootstrap.bootstrap_rng(), 200_000, [5])
    assert mask.tolist() == [[True] * 4]
    means = values[index[:, 0]].mean(axis=1)
    assert means.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.02)


def test_bootstrap_never_draws_beyond_a_stratum() -> None:
    """Strata of unequal size keep to their own seeds, and a single seed is repeated."""
    index, mask = bootstrap.bootstrap_draws(bootstrap.bootstrap_rng(), 500, [4, 2, 1])
    assert mask.sum(axis=1).tolist() == [3, 1, 1]
    assert index[:, 0].max() == 3
    assert set(index[:, 1, 0].tolist()) == {0, 1}
    assert set(index[:, 2, 0].tolist()) == {0}


def test_tails_are_those_of_students_t() -> None:
    """The probability of a normal distribution beyond the quantile of Student's t."""
    expected = scipy.stats.norm.sf(scipy.stats.t.ppf(0.975, 6))
    assert bootstrap.tail_probability(6) == pytest.approx(expected)
