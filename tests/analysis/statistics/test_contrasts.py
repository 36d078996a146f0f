"""Estimates, standard errors and degrees of freedom, against scipy, statsmodels and formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from optbench.analysis.statistics.contrasts import (
    all_pairs,
    cluster_means,
    entrant_contrasts,
    pair_contrasts,
)
from optbench.contracts import Array
from tests.support.packages import need


def draw(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def test_one_workload_is_a_paired_t_test() -> None:
    """Estimate, p-value and interval are those of scipy's paired t test over the replicates."""
    y = draw(3, 1, 6)
    contrasts = pair_contrasts(y, *all_pairs(3))
    low, high = contrasts.interval()
    for i, (a, b) in enumerate(zip(*all_pairs(3), strict=True)):
        oracle = stats.ttest_rel(y[a, 0], y[b, 0])
        interval = oracle.confidence_interval()
        np.testing.assert_allclose(contrasts.p_value[i], oracle.pvalue, rtol=1e-12)
        np.testing.assert_allclose([low[i], high[i]], interval, rtol=1e-12)
        assert contrasts.df[i] == pytest.approx(5)


def test_independent_workloads_add_their_variances_with_welch_s_degrees_of_freedom() -> None:
    """Two workloads: the sum of two means, whose df Welch's test gives."""
    x, z = draw(7, seed=1), 3 * draw(7, seed=2)
    contrasts = entrant_contrasts(np.stack([x, z])[None])
    oracle = stats.ttest_ind(x, -z, equal_var=False)
    assert contrasts.statistic[0] == pytest.approx(oracle.statistic, rel=1e-12)
    assert contrasts.df[0] == pytest.approx(oracle.df, rel=1e-12)


def test_workloads_of_a_cluster_count_as_one_unit() -> None:
    """With all workloads in one cluster the test is that of the replicates' means."""
    y = draw(2, 4, 6)
    contrasts = pair_contrasts(y, *all_pairs(2), clusters=["a"] * 4)
    oracle = stats.ttest_1samp((y[0] - y[1]).mean(axis=0), 0)
    np.testing.assert_allclose(contrasts.p_value[0], oracle.pvalue, rtol=1e-12)
    assert contrasts.df[0] == pytest.approx(5)


def test_equal_clusters_have_all_degrees_of_freedom() -> None:
    """Clusters with equal variance keep C (K - 1) degrees of freedom."""
    same = draw(1, 1, 5)
    contrasts = entrant_contrasts(np.concatenate([same, 1 - same, 2 + same], axis=1))
    assert contrasts.df[0] == pytest.approx(12)


def test_residuals_give_errors_and_covariances() -> None:
    """Their squares sum to the squared errors, their products to covariances of the estimates."""
    y = draw(3, 4, 6)
    contrasts = pair_contrasts(y, *all_pairs(3), clusters=list("aabb"))
    covariance = contrasts.residuals.T @ contrasts.residuals
    np.testing.assert_allclose(np.diag(covariance), contrasts.error**2, rtol=1e-12)
    # (0 - 2) = (0 - 1) + (1 - 2)
    sums = covariance[0, 0] + covariance[2, 2] + 2 * covariance[0, 2]
    assert sums == pytest.approx(covariance[1, 1], rel=1e-12)


def test_a_statement_about_other_workloads_is_a_t_test_over_clusters() -> None:
    """Each dataset counts once, with the mean over its workloads and replicates."""
    y = draw(2, 6, 3)
    contrasts = pair_contrasts(cluster_means(y, list("aabbcc")), *all_pairs(2))
    means = (y[0] - y[1]).reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(contrasts.p_value[0], stats.ttest_1samp(means, 0).pvalue, rtol=1e-12)
    assert contrasts.replicates[0] == 3


@pytest.mark.long
def test_clusters_of_equal_weight_agree_with_a_random_effects_meta_analysis() -> None:
    """Hartung and Knapp's interval of statsmodels, with equal sampling variances."""
    meta = need("statsmodels.stats.meta_analysis")
    y = 1 + draw(2, 8, 4)
    y[1] = 0
    contrasts = pair_contrasts(cluster_means(y, range(8)), *all_pairs(2))
    effects = y[0].mean(axis=1)
    result = meta.combine_effects(effects, np.full(8, 1e-3), method_re="pm", use_t=True)
    low, high = contrasts.interval()
    oracle = result.conf_int()[3]  # random effects, Hartung-Knapp
    np.testing.assert_allclose([low[0], high[0]], oracle, rtol=1e-6)


@pytest.mark.long
def test_equivalence_is_that_of_statsmodels() -> None:
    """Two one-sided tests of a paired difference."""
    weights = need("statsmodels.stats.weightstats")
    y = 0.05 * draw(2, 1, 8)
    contrasts = pair_contrasts(y, *all_pairs(2))
    oracle, *_ = weights.ttost_paired(y[0, 0], y[1, 0], -0.03, 0.03)
    np.testing.assert_allclose(contrasts.equivalence_p_value(0.03)[0], oracle, rtol=1e-12)


def test_only_what_both_entrants_have_is_compared() -> None:
    """A missing workload of one entrant leaves the pair the common workloads."""
    y = draw(2, 3, 5)
    y[1, 2] = np.nan
    contrasts = pair_contrasts(y, *all_pairs(2))
    common = pair_contrasts(y[:, :2], *all_pairs(2))
    np.testing.assert_allclose(contrasts.estimate, common.estimate)
    np.testing.assert_allclose(contrasts.error, common.error)
    nothing = y.copy()
    nothing[0, :2] = np.nan
    assert not pair_contrasts(nothing, *all_pairs(2)).testable.any()


def test_one_replicate_cannot_be_tested() -> None:
    """Without a second replicate of a workload there is an estimate, and neither error nor p."""
    y = draw(2, 3, 4)
    y[0, 1, 1:] = np.nan
    contrasts = pair_contrasts(y, *all_pairs(2))
    assert np.isfinite(contrasts.estimate).all()
    assert np.isnan(contrasts.error).all()
    assert contrasts.p_value.tolist() == contrasts.equivalence_p_value(0.1).tolist() == [1.0]
    assert np.isnan(contrasts.interval()).all()


def test_twins_are_equal_and_a_constant_gap_is_certain() -> None:
    """No variation at all: 0 has p = 1 and equals 0; another constant has p = 0."""
    y = draw(2, 3, 4)
    y[1] = y[0]
    contrasts = pair_contrasts(y, *all_pairs(2))
    assert contrasts.p_value[0] == 1
    assert contrasts.equivalence_p_value(0.03)[0] == 0
    gap = pair_contrasts(np.stack([np.ones((3, 4)), np.zeros((3, 4))]), *all_pairs(2))
    assert gap.p_value[0] == 0
    assert gap.equivalence_p_value(0.03)[0] == 1
    assert gap.with_least_error(0.5).p_value[0] > 0.05


def test_many_studies_at_once_give_what_each_gives() -> None:
    """Axes in front are studies."""
    y = draw(5, 3, 4, 6)
    together = pair_contrasts(y, *all_pairs(3), clusters=list("aabb"))
    for i, study in enumerate(y):
        single = pair_contrasts(study, *all_pairs(3), clusters=list("aabb"))
        np.testing.assert_allclose(together.p_value[i], single.p_value, rtol=1e-12)
        np.testing.assert_allclose(together.residuals[i], single.residuals, atol=1e-15)
