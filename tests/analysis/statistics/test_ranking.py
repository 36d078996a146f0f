"""Scores, pairs, tie groups, profiles: small cases by hand, and known behaviour."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optbench.analysis.board_rows import Estimate
from optbench.analysis.statistics import ranking, scoring
from optbench.analysis.views import profiles
from optbench.analysis.views.speed import pooled_speedup, speedups
from optbench.contracts import Array

NAN, INF = math.nan, math.inf


def test_score_by_hand() -> None:
    """From 1 to 0.01 is the whole way; 0.1 is half of it on the log scale, 2 is none."""
    loss = np.array([[[0.1, 2.0]], [[0.01, INF]]])
    scores = scoring.score(loss, np.array([1.0]), np.array([0.01]))
    np.testing.assert_allclose(scores, [[[0.5, 0.0]], [[1.0, 0.0]]])


def test_a_run_that_diverged_scores_zero_and_a_missing_one_nothing() -> None:
    """Divergence is the worst score and stays in; only runs that never were are left out."""
    scores = scoring.score(np.array([[[INF, NAN, 0.1]]]), np.array([1.0]), np.array([0.1]))
    assert scores[0, 0, 0] == 0
    assert np.isnan(scores[0, 0, 1])
    assert scoring.pooled_iqm(scores)[0] == 0.5


def test_losses_below_a_thousandth_of_the_start_are_all_as_good() -> None:
    """1e-9 and 1e-4 both solve a problem that starts at 1."""
    loss = np.array([[[1e-9, 1e-4, 1e-3, math.sqrt(1e-3)]]])
    scores = scoring.score(loss, np.array([1.0]), np.array([1e-9]))
    np.testing.assert_allclose(scores[0, 0], [1, 1, 1, 0.5])


def test_where_nobody_learned_everyone_scores_zero() -> None:
    """Noise around the initial loss must not be blown up to the whole scale."""
    loss = np.array([[[0.995]], [[0.999]]])
    best = scoring.best_losses(loss)
    assert scoring.score(loss, np.array([1.0]), best).tolist() == [[[0.0]], [[0.0]]]
    assert scoring.unlearned(np.array([1.0, 1.0]), np.array([0.99, 0.5])).tolist() == [True, False]


@given(
    hnp.arrays(float, (3, 2, 4), elements=st.one_of(st.floats(1e-6, 100), st.just(INF))),
    hnp.arrays(float, (2,), elements=st.floats(0.1, 50)),
)
def test_scores_are_bounded_and_follow_the_loss(loss: Array, initial: Array) -> None:
    """Whatever the losses, scores lie in [0, 1], and a lower loss never scores lower."""
    scores = scoring.score(loss, initial, scoring.best_losses(loss))
    assert ((scores >= 0) & (scores <= 1)).all()
    for w in range(2):
        order = np.argsort(loss[:, w].ravel(), kind="stable")
        assert (np.diff(scores[:, w].ravel()[order]) <= 1e-12).all()


def test_leaving_out_the_setter_of_the_best_loss_can_turn_an_order() -> None:
    """c sets a best loss on the first workload that dwarfs a's lead there over b."""
    loss = np.array([[[0.01], [0.45]], [[0.1], [0.25]], [[1e-3], [1.0]]])
    found = scoring.leave_one_out(loss, np.ones(2), ["a", "b", "c"])
    full = scoring.pooled_iqm(scoring.score(loss, np.ones(2), scoring.best_losses(loss)))
    alone = scoring.pooled_iqm(scoring.score(loss[:2], np.ones(2), scoring.best_losses(loss[:2])))
    assert full[1] > full[0]
    assert alone[0] > alone[1]
    assert ("b", "a", "c") in found


def improvement(a: Array, b: Array, draws: int) -> Estimate:
    """The one estimate of a pair of entrants, from their scores (W, n)."""
    (found,) = ranking.improvements(np.stack([a, b]), np.array([0]), np.array([1]), draws)
    return found


def test_pairs_compared_together_are_as_if_compared_alone() -> None:
    """Pairs that have other seeds in common than the rest, or none, change nothing for these."""
    scores = np.random.default_rng(1).random((4, 3, 4))
    scores[1, 0, 2:] = scores[2, 1] = scores[3, [0, 2]] = NAN
    first, second = np.triu_indices(4, 1)
    found = ranking.improvements(scores, first, second, 50)
    assert found[-1].value is None  # the last two share no workload
    assert found == [
        improvement(scores[a], scores[b], 50) for a, b in zip(first, second, strict=True)
    ]


def test_probability_of_improvement_is_mann_whitney_u() -> None:
    """On each workload U / (n m), ties one half; then the mean over workloads."""
    rng = np.random.default_rng(0)
    a, b = np.round(rng.normal(0.3, 1, (4, 6)), 1), np.round(rng.normal(0, 1, (4, 6)), 1)
    u = [scipy.stats.mannwhitneyu(x, y).statistic / 36 for x, y in zip(a, b, strict=True)]
    found = improvement(a, b, draws=200)
    assert found.value == pytest.approx(np.mean(u))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_probability_of_improvement_counts_common_workloads_alone() -> None:
    """A workload that one of the two did not enter says nothing about them."""
    a, b = np.array([[1.0, 2], [9, 9]]), np.array([[0.0, 1.5], [NAN, NAN]])
    assert improvement(a, b, draws=0).value == 0.75
    assert improvement(a[1:], b[1:], draws=0).value is None


def better_than(size: int, *pairs: tuple[int, int]) -> Array:
    matrix = np.zeros((size, size), dtype=bool)
    for a, b in pairs:
        matrix[a, b] = True
    return matrix


def test_places_are_what_the_separated_pairs_leave_open() -> None:
    """0 beats 2 and 3, 1 beats 3: places 1-2, 1-3, 2-4, 3-4."""
    better = better_than(4, (0, 2), (0, 3), (1, 3))
    assert ranking.place_ranges(better) == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_tie_groups_overlap_like_the_bars_of_a_diagram() -> None:
    """ab, bc, cd: no separated pair shares a group, every other pair does."""
    groups = ranking.tie_groups(better_than(4, (0, 2), (0, 3), (1, 3)), [0, 1, 2, 3], list("abcd"))
    assert [g.labels for g in groups] == [("a", "b"), ("b", "c"), ("c", "d")]
    assert [g.place for g in groups] == [(1, 2), (2, 3), (3, 4)]
    assert [g.letter for g in groups] == ["a", "b", "c"]


@given(hnp.arrays(bool, (5, 5)))
def test_two_entrants_share_a_group_exactly_when_they_are_not_separated(pairs: Array) -> None:
    """Also for separations that are no order at all."""
    better = np.triu(pairs, 1)
    groups = ranking.tie_groups(better, [0, 1, 2, 3, 4], list("abcde"))
    for i in range(5):
        for j in range(i + 1, 5):
            together = any({"abcde"[i], "abcde"[j]} <= set(g.labels) for g in groups)
            assert together != better[i, j]
    members = [set(g.labels) for g in groups]
    assert not any(one < other for one in members for other in members)


def test_a_pair_on_which_two_statistics_disagree_is_not_separated() -> None:
    """a has the higher inter-quartile mean, but b wins on nine workloads of ten."""
    scores = np.array([[[0.5]] * 12, [[0.6]] * 12])
    overall = np.array([0.9, 0.8])
    pairs, better = ranking.compare_pairs(scores, overall, ["a", "b"], 0)
    assert pairs[0].first == "a"
    assert pairs[0].p_holm < 0.05
    assert not pairs[0].separated
    assert not better.any()


def test_performance_profile_by_hand() -> None:
    """Ratios a: 1, 2, inf; b: 2, 1, 1; the workload that nobody solved is left out and named."""
    times = np.array([[10.0, 20, INF, INF], [20, 10, 5, INF]])
    found = profiles.performance_profile("updates", times, ["a", "b"], list("wxyz"))
    assert found is not None
    assert found.unsolved == ("z",)
    assert found.rho["a"][0] == pytest.approx(1 / 3)
    assert found.rho["a"][-1] == pytest.approx(2 / 3)
    assert found.rho["b"][0] == pytest.approx(2 / 3)
    assert found.area["a"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert found.area["b"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert found.order == ("b", "a")


def test_performance_profile_area_is_the_integral_of_the_curve() -> None:
    """Summing the steps of rho between 1 and 4 gives the closed form."""
    times = np.exp(np.random.default_rng(5).normal(size=(3, 8)))
    taus = np.linspace(1, 4, 300_001)
    ratios = profiles.time_ratios(times)
    for s, area in enumerate(profiles.profile_areas(times)):
        rho = (ratios[s][:, None] <= taus).mean(axis=0)
        assert np.trapezoid(rho, taus) / 3 == pytest.approx(area, abs=1e-4)


def test_performance_profile_tells_whose_presence_decides_an_order() -> None:
    """Without c, who is five times faster on the first workload, a is ahead of b."""
    times = np.array([[5.0, 4, INF], [10, 3.0, INF], [1, 12, INF]])
    found = profiles.performance_profile("examples", times, ["a", "b", "c"], list("xyz"))
    assert found is not None
    assert found.order.index("b") < found.order.index("a")
    assert ("b", "a", "c") in found.flips


def test_no_profile_without_a_solved_workload() -> None:
    """There is no best time to compare with."""
    assert (
        profiles.performance_profile("updates", np.full((2, 2), INF), ["a", "b"], ["w", "x"])
        is None
    )


def test_critical_difference_bars_join_what_lies_within_it() -> None:
    """Entrants that miss a workload are left out; bars are the longest runs within cd."""
    means = np.random.default_rng(0).normal(size=(4, 10)) * 0.01
    means[0] += 1
    means[3, 2] = NAN
    found = ranking.demsar(means, list("abcd"))
    assert found is not None
    assert set(found.labels) == {"a", "b", "c"}
    assert found.labels[0] == "a"
    assert found.mean_ranks[0] == 1
    for bar in found.bars:
        ranks = [found.mean_ranks[found.labels.index(name)] for name in bar]
        assert max(ranks) - min(ranks) <= found.cd
    assert ranking.demsar(means[:1], ["a"]) is None


def test_speedup_by_hand() -> None:
    """Twice as fast on every seed is 2x; the interval is as wide as the grid is coarse."""
    first, second = np.array([[10.0, 20, 30]]), np.array([[20.0, 40, 60]])
    step = np.full((1, 3), math.log(1.26))
    found = speedups(first, second, step, step)
    assert found.value[0] == pytest.approx(2)
    assert found.low[0] < 2 / 1.26
    exact = speedups(first, second, np.zeros((1, 3)), np.zeros((1, 3)))
    assert exact.low[0] == pytest.approx(2)


def test_speedup_is_unknown_where_anyone_missed_the_target() -> None:
    """A ratio with an infinite time is no number; missing seeds are left out."""
    zero = np.zeros((1, 3))
    lost = speedups(np.array([[10.0, INF, 30]]), np.array([[20.0, 40, 60]]), zero, zero)
    assert np.isnan(lost.value[0])
    short = speedups(np.array([[10.0, NAN, 30]]), np.array([[20.0, 40, 60]]), zero, zero)
    assert short.value[0] == pytest.approx(2)
    assert pooled_speedup(lost).value is None


def test_more_seeds_on_one_side_do_not_move_equal_runs_apart() -> None:
    """Value and interval are over the seeds that both have: equal runs there are equal."""
    rng = np.random.default_rng(3)
    many = rng.random((3, 20))
    few = np.where(np.arange(20) < 5, many, NAN)
    found = improvement(few, many, draws=200)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_a_profile_goes_on_to_its_last_step() -> None:
    """A workload solved nine times later is in the curve; the area still ends at 4."""
    times = np.array([[1.0, 1.0], [9.0, 2.0]])
    found = profiles.performance_profile("examples", times, ["a", "b"], ["v", "w"])
    assert found is not None
    assert found.rho["b"][-1] == 1
    assert found.tau[-1] > 9
    assert len(found.tau) == len(found.rho["b"])
    assert found.area["b"] == pytest.approx((4 - 2) / 3 / 2)
