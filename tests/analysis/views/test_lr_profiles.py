"""Sensitivity to the learning rate, over several workloads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optbench.analysis.view_records import LearningRateCurve
from optbench.analysis.views.lr_profiles import BINS, lr_profiles


def curve(
    label: str, workload: str, losses: dict[float, float], chosen: float = 0.1, only_lr: bool = True
) -> LearningRateCurve:
    return LearningRateCurve(
        label=label,
        workload=workload,
        lr=tuple(losses),
        loss=tuple(losses.values()),
        chosen=chosen,
        initial_loss=1.0,
        only_lr=only_lr,
    )


def test_parts_of_the_way_are_counted_to_the_lowest_loss_of_any_entrant() -> None:
    """In log loss, from the loss before training; what diverged or is worse than that has 0."""
    curves = [
        curve("a", "w", {0.01: 0.1, 0.1: 0.01, 1.0: math.inf}),
        curve("b", "w", {0.01: 2.0, 0.1: 1e-4}),
        curve("a", "v", {0.01: 0.5, 0.1: 0.25, 1.0: 1.0}, chosen=0.01),
    ]
    profiles = lr_profiles(curves)
    assert profiles["b"].trials.tolist() == [[0.01, 0.1], [0.0, 1.0]]
    assert profiles["a"].trials[1] == pytest.approx([0.25, 0.5, 0, 0.5, 1, 0])
    assert profiles["a"].lr == pytest.approx([0.01, 0.1, 1.0])
    assert profiles["a"].mid == pytest.approx([0.375, 0.75, 0])
    assert profiles["a"].chosen == pytest.approx(np.array([[0.1, 0.01], [0.5, 0.5]]))


def test_a_loss_near_zero_is_beyond_the_scale() -> None:
    """It would press the other trials together; it has 1, as the lowest of the others."""
    rates = [float(rate) for rate in np.geomspace(1e-3, 1, 10)]
    losses = dict(zip(rates, np.geomspace(0.5, 0.05, 10).tolist(), strict=True))
    plain = lr_profiles([curve("a", "w", losses)])["a"]
    with_outlier = lr_profiles([curve("a", "w", {**losses, 2.0: 1e-11})])["a"]
    assert not plain.beyond.any()
    assert with_outlier.beyond.tolist() == [False] * 10 + [True]
    assert with_outlier.trials[1] == pytest.approx([*plain.trials[1], 1.0])
    assert plain.trials[1, -1] == 1.0


def test_a_workload_that_no_trial_improved_has_no_outlier() -> None:
    """All trials have 0."""
    profile = lr_profiles([curve("a", "w", {0.01: 1.0, 0.1: 2.0, 1.0: math.inf})])["a"]
    assert profile.trials[1].tolist() == [0, 0, 0]
    assert not profile.beyond.any()


def test_many_trials_are_summarised_in_parts_of_the_range() -> None:
    """Line and band are quantiles of the trials in each part; every rate lies in the range."""
    rates = np.geomspace(1e-4, 1, 240)
    losses = {float(lr): float(np.exp(-1 - np.sin(37 * i))) for i, lr in enumerate(rates)}
    profile = lr_profiles([curve("a", "w", losses)])["a"]
    assert len(profile.lr) == BINS
    first = profile.trials[1, :20]  # a twelfth of the trials
    assert [profile.low[0], profile.mid[0], profile.high[0]] == pytest.approx(
        np.quantile(first, (0.1, 0.5, 0.9)).tolist(), abs=0.05
    )
    assert (profile.low <= profile.mid).all()
    assert (profile.mid <= profile.high).all()


def test_trials_that_differ_in_more_than_the_rate_are_not_joined() -> None:
    """Their dots stay."""
    profile = lr_profiles([curve("a", "w", {0.01: 0.5, 0.1: 0.2}, only_lr=False)])["a"]
    assert profile.lr.size == profile.mid.size == 0
    assert profile.trials.shape == (2, 2)
