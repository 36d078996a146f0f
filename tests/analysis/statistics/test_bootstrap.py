"""Few seeds are resampled with the right variance, and the intervals are as wide as Student's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from optbench.analysis.statistics import bootstrap
from optbench.analysis.statistics.bootstrap import Stream


def test_bootstrap_of_five_seeds_has_the_variance_of_the_mean() -> None:
    """Drawing n - 1 gives s^2 / n; drawing n would give 4/5 of it."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 5))
    means = bootstrap.resample(values, np.array([5, 5, 5]), 200_000, Stream.SCORE).mean(axis=1)
    expected = (values.var(axis=1, ddof=1) / 5).sum() / 9
    assert means.var() == pytest.approx(expected, rel=0.02)


def test_bootstrap_never_draws_beyond_a_stratum() -> None:
    """Strata of unequal size keep to their own seeds, and a single seed is repeated."""
    values = np.array([[1.0, 2, 3, 4], [5, 6, np.nan, np.nan], [7, np.nan, np.nan, np.nan]])
    samples = bootstrap.resample(values, np.array([4, 2, 1]), 500, Stream.SCORE)
    assert samples.shape == (500, 3 + 1 + 1)
    assert set(np.unique(samples[:, 3])) == {5.0, 6.0}
    assert set(np.unique(samples[:, 4])) == {7.0}


def test_wide_quantiles_are_those_of_students_t() -> None:
    """A normal sample cut at the widened tails spans Student's t, not the normal quantile."""
    samples = scipy.stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    low, high = bootstrap.percentile_interval(samples, df=6)
    assert high == pytest.approx(scipy.stats.t.ppf(0.975, 6), rel=1e-3)
    assert low == pytest.approx(-high)
