"""The statistics against scipy, scikit-posthocs and a published example."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from optbench.analysis.statistics import hypothesis_tests as statistics
from optbench.analysis.statistics.multiplicity import holm
from optbench.contracts import Array


@pytest.mark.parametrize(("count", "total"), [(0, 5), (5, 5), (3, 45), (1, 2), (20, 100)])
def test_wilson_agrees_with_scipy(count: int, total: int) -> None:
    """The interval of a divergence rate is the textbook one."""
    expected = scipy.stats.binomtest(count, total).proportion_ci(method="wilson")
    assert statistics.wilson(count, total) == pytest.approx((expected.low, expected.high))


def test_wilson_of_nothing_knows_nothing() -> None:
    """Without a run the rate may be anything."""
    assert statistics.wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 45])
def test_iqm_agrees_with_scipy(n: int) -> None:
    """The inter-quartile mean is scipy's 25% trimmed mean."""
    x = np.random.default_rng(n).normal(size=(6, n))
    np.testing.assert_allclose(statistics.iqm(x), scipy.stats.trim_mean(x, 0.25, axis=1))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_average_ranks_agree_with_scipy(values: list[int]) -> None:
    """Ties share the mean of their places."""
    np.testing.assert_array_equal(
        statistics.average_ranks(values), scipy.stats.rankdata(values, "average")
    )


@pytest.mark.parametrize("n", [1, 2, 5, 6, 9, 15, 27, 50])
def test_wilcoxon_agrees_with_scipy_exactly(n: int) -> None:
    """Without ties the exact p-value is scipy's."""
    rows = np.random.default_rng(n).normal(0.4, 1, size=(5, n))
    p, sign = statistics.wilcoxon(rows)
    for i, row in enumerate(rows):
        expected = scipy.stats.wilcoxon(row, method="exact")
        assert p[i] == pytest.approx(expected.pvalue, rel=1e-9)
        ranks = scipy.stats.rankdata(np.abs(row))
        assert sign[i] == np.sign((ranks * np.sign(row)).sum())


def test_wilcoxon_agrees_with_scipy_in_large_samples() -> None:
    """Above 50 pairs the normal approximation is scipy's, with ties and zeros."""
    row = np.round(np.random.default_rng(1).normal(0.1, 1, size=120), 1)
    expected = scipy.stats.wilcoxon(row, method="approx", zero_method="wilcox")
    assert statistics.wilcoxon(row)[0][0] == pytest.approx(expected.pvalue, rel=1e-9)


@settings(max_examples=40)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_wilcoxon_with_ties_agrees_with_all_sign_changes(values: list[int]) -> None:
    """With ties and zeros the p-value counts every one of the 2^n ways to set the signs."""
    d = np.array([v for v in values if v != 0], dtype=float)
    expected = 1.0
    if len(d):
        ranks = scipy.stats.rankdata(np.abs(d))
        signs = np.array(np.meshgrid(*[[0, 1]] * len(d))).reshape(len(d), -1).T
        sums = signs @ ranks
        observed = min(ranks[d > 0].sum(), ranks[d < 0].sum())
        expected = min(1.0, 2 * float((sums <= observed + 1e-9).mean()))
    assert statistics.wilcoxon(np.array(values))[0][0] == pytest.approx(expected)


def test_wilcoxon_of_five_pairs_cannot_go_below_a_sixteenth() -> None:
    """The floor that the leaderboard warns of: unanimous differences on 5 workloads."""
    assert statistics.wilcoxon([1, 2, 3, 4, 5])[0][0] == 0.0625


def test_wilcoxon_of_equal_entrants_is_one() -> None:
    """No difference anywhere is no evidence."""
    p, sign = statistics.wilcoxon(np.zeros((2, 9)))
    assert p.tolist() == [1, 1]
    assert sign.tolist() == [0, 0]


def test_wilcoxon_leaves_missing_workloads_out() -> None:
    """NaN is neither a zero nor a difference."""
    without_gaps = statistics.wilcoxon([1.0, -2, 3, 4])[0]
    assert statistics.wilcoxon([1.0, np.nan, -2, 3, np.nan, 4])[0] == without_gaps


def test_holm_by_hand() -> None:
    """Sorted .01 .02 .03 .04 become .04 .06 .06 .06."""
    adjusted = holm([0.04, 0.01, 0.03, 0.02])
    np.testing.assert_allclose(adjusted, [0.06, 0.04, 0.06, 0.06])


def test_demsar_example() -> None:
    """The published comparison of four classifiers on 14 data sets comes out as printed."""
    ranks = [3.143, 2.000, 2.893, 1.964]
    chi2, p_value, f = statistics.friedman(ranks, 14)
    assert round(chi2, 2) == 9.28
    assert f is not None
    assert round(f, 2) == 3.69
    assert p_value == pytest.approx(scipy.stats.chi2.sf(chi2, 3))
    assert round(statistics.nemenyi_q(4), 3) == 2.569
    assert round(statistics.critical_difference(4, 14), 2) == 1.25


@pytest.mark.parametrize("k", [2, 3, 5, 10, 30])
def test_nemenyi_q_agrees_with_scipy(k: int) -> None:
    """The critical value is that of the studentized range with infinite degrees of freedom."""
    expected = scipy.stats.studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2)
    assert statistics.nemenyi_q(k) == pytest.approx(expected, rel=1e-5)


def test_friedman_agrees_with_scipy() -> None:
    """On data without ties, chi-squared and p-value are scipy's."""
    x: Array = np.random.default_rng(3).normal(size=(4, 11))
    ranks = statistics.average_ranks(x, axis=0).mean(axis=1)
    expected = scipy.stats.friedmanchisquare(*x)
    chi2, p_value, _ = statistics.friedman(ranks, 11)
    assert chi2 == pytest.approx(expected.statistic)
    assert p_value == pytest.approx(expected.pvalue)


def test_posthoc_tests_agree_with_scikit_posthocs() -> None:
    """Which pairs differ: Nemenyi and Wilcoxon with Holm, against another implementation."""
    posthocs = pytest.importorskip(
        "scikit_posthocs", reason="scikit-posthocs is missing: pip install 'optbench[oracles]'"
    )
    x: Array = np.random.default_rng(4).normal(size=(12, 5)) + np.linspace(0, 2, 5)
    first, second = np.triu_indices(5, 1)

    nemenyi = posthocs.posthoc_nemenyi_friedman(x).to_numpy()
    ranks = statistics.average_ranks(x, axis=1).mean(axis=0)
    apart = np.abs(ranks[first] - ranks[second]) > statistics.critical_difference(5, 12)
    np.testing.assert_array_equal(apart, nemenyi[first, second] < 0.05)

    expected = posthocs.posthoc_wilcoxon(list(x.T), p_adjust="holm").to_numpy()
    ours = holm(statistics.wilcoxon((x[:, first] - x[:, second]).T)[0])
    np.testing.assert_allclose(ours, expected[first, second], rtol=1e-9)
