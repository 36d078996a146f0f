"""Entrants compared two by two: small cases by hand, and known behaviour."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
import scipy.stats

from optbench.analysis.board_rows import Estimate
from optbench.analysis.statistics import pair_comparisons
from optbench.contracts import Array

NAN = math.nan


def improvement(a: Array, b: Array, draws: int) -> Estimate:
    """The one estimate of a pair of entrants, from their scores (W, n)."""
    scores = np.stack([a, b])
    (estimate,) = pair_comparisons.improvements(scores, np.array([0]), np.array([1]), draws)
    return estimate


def test_pairs_compared_together_are_as_if_compared_alone() -> None:
    """Pairs that have other seeds in common than the rest, or none, change nothing for these."""
    scores = np.random.default_rng(1).random((4, 3, 4))
    scores[1, 0, 2:] = scores[2, 1] = scores[3, [0, 2]] = NAN
    first, second = np.triu_indices(4, 1)
    estimates = pair_comparisons.improvements(scores, first, second, 50)
    assert estimates[-1].value is None  # the last two share no workload
    assert estimates == [
        improvement(scores[a], scores[b], 50) for a, b in zip(first, second, strict=True)
    ]


def test_probability_of_improvement_is_mann_whitney_u() -> None:
    """On each workload U / (n m), ties one half; then the mean over workloads."""
    rng = np.random.default_rng(0)
    a, b = np.round(rng.normal(0.3, 1, (4, 6)), 1), np.round(rng.normal(0, 1, (4, 6)), 1)
    u = [scipy.stats.mannwhitneyu(x, y).statistic / 36 for x, y in zip(a, b, strict=True)]
    estimates = improvement(a, b, draws=200)
    assert estimates.value == pytest.approx(np.mean(u))
    assert estimates.value is not None
    assert estimates.low is not None
    assert estimates.high is not None
    assert estimates.low < estimates.value < estimates.high


def test_probability_of_improvement_counts_common_workloads_alone() -> None:
    """A workload that one of the two did not enter says nothing about them."""
    a, b = np.array([[1.0, 2], [9, 9]]), np.array([[0.0, 1.5], [NAN, NAN]])
    assert improvement(a, b, draws=0).value == 0.75
    assert improvement(a[1:], b[1:], draws=0).value is None


def test_a_pair_on_which_two_statistics_disagree_is_not_separated() -> None:
    """a has the higher inter-quartile mean, but b wins on nine workloads of ten."""
    scores = np.array([[[0.5]] * 12, [[0.6]] * 12])
    overall = np.array([0.9, 0.8])
    pairs, better = pair_comparisons.compare_pairs(scores, overall, ["a", "b"])
    assert pairs[0].first == "a"
    assert pairs[0].p_holm < 0.05
    assert not pairs[0].separated
    assert not better.any()


def test_more_seeds_on_one_side_do_not_move_equal_runs_apart() -> None:
    """Value and interval are over the seeds that both have: equal runs there are equal."""
    rng = np.random.default_rng(3)
    many = rng.random((3, 20))
    few = np.where(np.arange(20) < 5, many, NAN)
    estimates = improvement(few, many, draws=200)
    assert (estimates.value, estimates.low, estimates.high) == (0.5, 0.5, 0.5)


def test_the_size_of_a_chunk_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs of seeds are compared in chunks of any size, with the same sums to the bit."""
    scores = np.round(np.random.default_rng(2).random((4, 3, 30)), 1)
    scores[1, 0, 20:] = NAN
    first, second = np.triu_indices(4, 1)
    estimates = []
    for size in (1, 10_000, 10**9):
        monkeypatch.setattr(pair_comparisons, "MAX_CHUNK", size)
        estimates.append(pair_comparisons.improvements(scores, first, second, 100))
    assert estimates[0] == estimates[1] == estimates[2]


def test_many_seeds_are_compared_in_little_memory() -> None:
    """The memory of 1,000 seeds does not grow with their square times the number of draws."""
    scores = np.random.default_rng(3).random((2, 1, 1000))
    tracemalloc.start()
    improvement(scores[0], scores[1], draws=200)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
