"""Corrections for many comparisons, against scipy, statsmodels and published tables."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from optbench.analysis.statistics import multiplicity
from optbench.analysis.statistics.contrasts import Contrasts, all_pairs, pair_contrasts
from optbench.analysis.statistics.multiplicity import (
    adjusted_p_values,
    holm,
    joint_is_known,
    may_be_best,
    one_sided_critical,
    shaffer,
)
from optbench.contracts import Array
from tests.support.packages import need


def draw(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.long
def test_holm_is_that_of_statsmodels() -> None:
    """Also with ties, and over the last axis of several families."""
    tests = need("statsmodels.stats.multitest")
    p = np.round(np.random.default_rng(0).random((3, 12)) ** 3, 2)
    for row, adjusted in zip(p, holm(p), strict=True):
        oracle = tests.multipletests(row, method="holm")[1]
        np.testing.assert_allclose(adjusted, oracle, rtol=1e-12)


@pytest.mark.parametrize(
    ("entrants", "factors"),
    [
        (3, (3, 1, 1)),
        (4, (6, 3, 3, 3, 2, 1)),
        (5, (10, 6, 6, 6, 6, 4, 4, 3, 2, 1)),
        (6, (15, 10, 10, 10, 10, 10, 7, 7, 7, 6, 4, 4, 3, 2, 1)),
    ],
)
def test_shaffer_s_factors_are_the_published_ones(entrants: int, factors: tuple[int, ...]) -> None:
    """Numbers of hypotheses that can be true, from Shaffer 1986, table 1."""
    pairs = len(factors)
    p = np.arange(1, pairs + 1) * 1e-6
    np.testing.assert_allclose(shaffer(p), np.maximum.accumulate(p * factors), rtol=1e-12)


def test_shaffer_is_never_stricter_than_holm() -> None:
    """For any p-values of all pairs."""
    p = np.random.default_rng(1).random((200, 10)) ** 4
    assert (shaffer(p) <= holm(p) + 1e-15).all()
    assert (shaffer(p) < holm(p)).any()


def balanced_one_way(y: Array) -> Contrasts:
    """Contrasts of groups with the first group, with the variance of all groups together."""
    k, n = y.shape
    own = pair_contrasts(y[:, None, :], np.arange(1, k), np.zeros(k - 1, dtype=int))
    variance = y.var(axis=1, ddof=1).mean()
    unit = np.zeros((k, k - 1))  # one unit for each group, so that two contrasts share the first
    unit[0], unit[1:] = -1.0, np.eye(k - 1)
    return dataclasses.replace(
        own,
        error=np.full(k - 1, np.sqrt(2 * variance / n)),
        df=np.full(k - 1, k * (n - 1.0)),
        residuals=unit * np.sqrt(variance / n),
    )


def test_comparisons_with_a_baseline_are_dunnett_s() -> None:
    """Balanced groups: the least p-value is scipy's, the next ones are those of fewer groups."""
    y = draw(5, 30, seed=4)
    y[3] += 0.75
    y[1] += 0.4
    contrasts = balanced_one_way(y)
    adjusted = adjusted_p_values(contrasts)
    oracle = stats.dunnett(*y[1:], control=y[0], random_state=np.random.default_rng(0))
    np.testing.assert_allclose(contrasts.statistic, oracle.statistic, rtol=1e-12)
    assert adjusted.min() == pytest.approx(oracle.pvalue.min(), abs=0.004)
    order = np.argsort(-np.abs(contrasts.statistic))
    expected = 0.0
    for step, index in enumerate(order):
        rest = len(order) - step
        size = np.full(rest, np.abs(contrasts.statistic[index]))
        joint = stats.multivariate_t(shape=0.5 + 0.5 * np.eye(rest), df=contrasts.df[0])
        inside = joint.cdf(size, lower_limit=-size, random_state=1)
        expected = max(expected, 1 - float(inside))
        assert adjusted[index] == pytest.approx(expected, abs=0.01)


def test_the_joint_distribution_gives_tukey_s_p_values() -> None:
    """Independent entrants with many units: the smallest p-value is that of the range test."""
    y = draw(4, 1, 400)
    y[0] += 0.15
    contrasts = pair_contrasts(y, *all_pairs(4))
    assert joint_is_known(contrasts, 4)
    adjusted = adjusted_p_values(contrasts, 4)
    largest = int(np.argmin(adjusted))
    statistic = abs(float(contrasts.statistic[largest]))
    oracle = stats.studentized_range.sf(statistic * np.sqrt(2), 4, np.inf)
    assert adjusted[largest] == pytest.approx(oracle, abs=0.005)
    tukey = stats.tukey_hsd(*y[:, 0]).pvalue
    first, second = all_pairs(4)
    assert adjusted[largest] == pytest.approx(tukey[first[largest], second[largest]], abs=0.02)
    assert (adjusted >= contrasts.p_value).all()


def test_few_units_are_corrected_without_the_joint_distribution() -> None:
    """With six replicates of one workload: Shaffer for all pairs, Holm for another family."""
    y = draw(5, 1, 6)
    contrasts = pair_contrasts(y, *all_pairs(5))
    np.testing.assert_allclose(adjusted_p_values(contrasts, 5), shaffer(contrasts.p_value))
    np.testing.assert_allclose(adjusted_p_values(contrasts), holm(contrasts.p_value))


def test_what_cannot_be_tested_does_not_count() -> None:
    """An entrant with one replicate leaves the family of the others as it was."""
    y = draw(4, 2, 5)
    y[3, :, 1:] = np.nan
    contrasts = pair_contrasts(y, *all_pairs(4))
    adjusted = adjusted_p_values(contrasts, 4)
    assert (adjusted[~contrasts.testable] == 1).all()
    np.testing.assert_allclose(
        adjusted[contrasts.testable], holm(contrasts.p_value[contrasts.testable])
    )


def test_the_one_sided_critical_value_is_dunnett_s() -> None:
    """Three candidates against one, many units: scipy's Dunnett test has p = 0.05 there."""
    y = draw(4, 1, 400)
    y[3] += 0.3
    lead = pair_contrasts(y, np.arange(1, 4), np.zeros(3, dtype=int))
    critical = float(one_sided_critical(lead, 0.05)[0])
    oracle = stats.multivariate_normal(cov=np.full((3, 3), 0.5) + 0.5 * np.eye(3))
    assert 1 - oracle.cdf(np.full(3, critical)) == pytest.approx(0.05, abs=0.005)
    dunnett = stats.dunnett(*y[1:, 0], control=y[0, 0], alternative="greater", random_state=0)
    assert ((dunnett.pvalue < 0.05) == (dunnett.statistic > critical)).all()


def test_the_best_ones_remain_and_the_worst_leave() -> None:
    """Hsu's set: two equal leaders stay, an entrant far behind does not."""
    y = 0.1 * draw(3, 3, 6)
    y[1] = y[0] + 0.02 * draw(3, 6, seed=1)
    y[2] -= 1
    assert may_be_best(y).tolist() == [True, True, False]
    assert may_be_best(y[:, :, :1]).all()
    assert may_be_best(y[:1]).all()


def test_the_same_study_has_the_same_p_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The draws are fixed, so that a report can be made again."""
    monkeypatch.setattr(multiplicity, "DRAWS", 500)
    contrasts = pair_contrasts(draw(3, 1, 60), *all_pairs(3))
    np.testing.assert_array_equal(adjusted_p_values(contrasts, 3), adjusted_p_values(contrasts, 3))
