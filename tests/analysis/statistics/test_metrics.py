"""Every metric against a case small enough to compute by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.analysis.statistics import metrics
from optbench.tuning.trials import time_to_target


def test_time_to_target_needs_two_evaluations_in_a_row() -> None:
    """A single dip below the target is noise; the cost of the first of two in a row counts."""
    cost = [0, 1, 2, 4, 8, 16]
    loss = [1.0, 0.4, 0.6, 0.5, 0.3, 0.2]
    assert time_to_target(cost, loss, 0.5) == 4
    assert time_to_target(cost, loss, 0.4) == 8


def test_a_run_that_ends_at_the_target_has_reached_it() -> None:
    """Nothing comes after the end that could confirm it; a curve of one point shows no progress."""
    assert time_to_target([0, 1, 2], [1.0, 0.9, 0.1], 0.5) == 2
    assert time_to_target([0, 1, 2, 4], [1.0, 0.4, 0.9, 0.6], 0.5) == math.inf
    assert time_to_target([0.0], [0.1], 0.5) == math.inf


def test_time_to_target_ignores_the_padding_after_the_end() -> None:
    """NaN is no loss at the target; the evaluation before it is the last one."""
    loss = np.array([[1.0, 0.6, np.nan, np.nan], [1.0, 0.6, 0.4, np.nan], [1.0, 0.4, 0.4, 0.4]])
    cost = np.array([[0.0, 1, np.nan, np.nan], [0, 1, 2, np.nan], [0, 1, 2, 3]])
    assert time_to_target(cost, loss, np.full(3, 0.5)).tolist() == [math.inf, 2, 1]


def test_area_under_the_log_curve_by_hand() -> None:
    """log L falls from 0 to -2 linearly in log c from 1 to e^2, so its mean is -1."""
    cost = [0, 1, math.e, math.e**2]
    loss = [5.0, 1.0, math.exp(-1), math.exp(-2)]
    assert metrics.area_under_log_curve(cost, loss) == pytest.approx(-1)


def test_area_under_the_log_curve_weighs_by_the_width_in_log_cost() -> None:
    """Trapezoids on unequal steps: (1 * 0.5 + 2 * 1) / 3 of the drop."""
    cost = [1, math.e, math.e**3, np.nan]
    loss = [1.0, math.exp(-1), math.exp(-1), np.nan]
    assert metrics.area_under_log_curve(cost, loss) == pytest.approx(-(0.5 + 2) / 3)
    assert metrics.area_under_log_curve(cost, loss, diverged=True) == math.inf


def test_spikes_are_counted_against_the_median_of_what_came_before() -> None:
    """Only losses over twice the median of the evaluations before are spikes."""
    assert metrics.spikes([1, 1, 1, 2.1, 1, 5, 2]) == 2
    assert metrics.spikes([8, 4, 2, 1, 0.5]) == 0
    assert metrics.spikes(np.array([[1, 3, np.nan], [1, 1, 1]])).tolist() == [1, 0]


def test_the_spike_window_forgets_what_is_older_than_fifty_evaluations() -> None:
    """After 50 evaluations at 1, a start at 100 no longer hides a rise to 3."""
    assert metrics.spikes([100.0] * 10 + [1.0] * 50 + [3.0]) == 1


def test_worst_rise_compares_with_the_lowest_loss_before() -> None:
    """3 after 0.5 is a rise by 6; a falling curve has 1; a diverged run infinity."""
    assert metrics.worst_rise([1, 0.5, 3, 1]) == 6
    assert metrics.worst_rise([3, 2, 1, np.nan]) == 1
    assert metrics.worst_rise([3, 2, 1], diverged=True) == math.inf


def test_kept_progress_by_hand() -> None:
    """From 1 to 0.01 and back to 0.1, half of the log progress is kept."""
    assert metrics.kept_progress([1, 0.01, 0.1]) == pytest.approx(0.5)
    assert metrics.kept_progress([1, 0.1, 0.01]) == 1
    assert metrics.kept_progress([1, 0.01, 2]) == 0
    assert metrics.kept_progress([1, 0.01, 0.01], diverged=True) == 0


def test_kept_progress_does_not_magnify_a_wobble_of_a_loss_that_never_moved() -> None:
    """A run that stays within 1% of its start has lost nothing worth the name."""
    assert metrics.kept_progress([1.0, 0.999, 1.001]) > 0.97


def test_kept_progress_ignores_digits_below_a_thousandth_of_the_start() -> None:
    """A solved problem is solved: 1e-9 and 1e-5 are the same."""
    assert metrics.kept_progress([1.0, 1e-9, 1e-5]) == 1


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([1, 2, 3, 4], 0.5, 2.5),
        ([1, 2, 3, np.inf], 0.5, 2.5),
        ([1, 2, np.inf, np.inf], 0.5, np.inf),
        ([1, 2, np.inf], 0.5, 2),
        ([np.inf, np.inf], 0.5, np.inf),
        ([1, np.nan, 3], 0.5, 2),
        ([-np.inf, -np.inf, 1], 0.25, -np.inf),
    ],
)
def test_quantiles_keep_infinities(values: list[float], q: float, expected: float) -> None:
    """An infinite loss among the seeds moves the median as the largest value would."""
    assert metrics.quantiles(values, (q,)) == [expected]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), st.floats(0, 1))
def test_quantiles_of_finite_values_are_those_of_numpy(values: list[float], q: float) -> None:
    """Where nothing is infinite the quantile is the usual linear one."""
    expected = float(np.quantile(values, q))
    assert metrics.quantiles(values, (q,)) == [pytest.approx(expected, rel=1e-9, abs=1e-6)]


def test_seed_spread_is_the_inter_quartile_range_of_the_log() -> None:
    """exp(0..4): quartiles of the logs are 1 and 3."""
    losses = np.exp([4.0, 0, 2, 1, 3])
    assert metrics.seed_spread(losses) == pytest.approx(2)
    assert metrics.seed_spread([*losses[:3], np.inf, np.inf]) == math.inf


def test_lr_width_follows_the_line_to_where_it_crosses() -> None:
    """A V in (log lr, log loss) with slope log 1.1 a half decade is one decade wide."""
    lr = [1e-3, 10**-2.5, 1e-2, 10**-1.5, 1e-1]
    loss = [0.5 * 1.1 ** abs(i) for i in (-4, -1, 0, 1, 4)]
    width, at_edge = metrics.lr_width(lr, loss, 10.0)
    assert width == pytest.approx(1.0)
    assert not at_edge


def test_lr_width_flags_an_interval_that_ends_at_an_edge() -> None:
    """The best lr is the largest tried: the width is a lower bound, and says so."""
    width, at_edge = metrics.lr_width([1e-1, 1e-3, 1e-2], [0.1, 0.3, 0.105], 1.0)
    assert at_edge
    assert width > 1


def test_lr_width_stops_at_a_diverged_neighbour() -> None:
    """An infinite loss counts as the initial loss: the interval ends before it."""
    width, at_edge = metrics.lr_width([1e-3, 1e-2, 1e-1], [0.5, 0.1, math.inf], 1.0)
    share = math.log(1.1) / math.log(10) + math.log(1.1) / math.log(5)
    assert width == pytest.approx(share)
    assert not at_edge


def test_lr_width_is_unknown_when_nothing_learned() -> None:
    """Without a trial below the initial loss there is no best to be near to."""
    for lr, loss in (([1e-3, 1e-2], [1.0, math.inf]), ([1e-3], [0.5])):
        width, at_edge = metrics.lr_width(lr, loss, 1.0)
        assert np.isnan(width)
        assert not at_edge


def test_lr_widths_of_many_are_those_of_each() -> None:
    """Rows with the best at either end, in the middle, nowhere, and in another order."""
    lr = np.array([[1e-3, 1e-2, 1e-1]] * 4 + [[1e-1, 1e-3, 1e-2]])
    loss = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.3, 0.1, 0.2], [2, 2, 9], [0.2, 0.3, 0]])
    widths, at_edge = metrics.lr_width(lr, loss, np.ones(5))
    alone = [metrics.lr_width(*row) for row in zip(lr, loss, np.ones(5), strict=True)]
    np.testing.assert_array_equal(widths, [width for width, _ in alone])
    assert at_edge.tolist() == [bool(edge) for _, edge in alone] == [True, True, *[False] * 3]


def test_lr_sensitivity_caps_each_loss_at_the_initial_one() -> None:
    """mean(min(L, 1)) - 0.2 = (0.2 + 0.6 + 1 + 1) / 4 - 0.2."""
    assert metrics.lr_sensitivity([0.2, 0.6, 3.0, math.inf], 1.0) == pytest.approx(0.5)


def test_expected_best_is_the_mean_over_all_subsets() -> None:
    """The closed formula equals the average minimum over every subset of that size."""
    losses = [0.7, 0.1, 0.4, 0.9, 0.2]
    for b, value in enumerate(metrics.expected_best(losses), 1):
        subsets = [min(subset) for subset in combinations(losses, b)]
        assert value == pytest.approx(np.mean(subsets))


def test_expected_best_is_infinite_while_all_drawn_may_have_diverged() -> None:
    """With two infinite losses of four, three draws are needed for a finite expectation."""
    curve = metrics.expected_best([0.3, math.inf, 0.1, math.inf])
    assert np.isinf(curve[:2]).all()
    assert curve[2] == pytest.approx((3 * 0.1 + 0.3) / 4)
    assert curve[3] == pytest.approx(0.1)
