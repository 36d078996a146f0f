"""Behaviour of optimizers for which theory gives the figure, and of planted ones that fail."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optbench.inspection.portraits.behaviours import (
    noise_exponent,
    rare_step,
    rate_decades,
    ravine_value,
    recovery_updates,
    saddle_updates,
    valley_updates,
)
from tests.inspection.portraits.planted import (
    Accumulating,
    HeavyBall,
    Plain,
    Sign,
    Timid,
    subject,
)


def test_gradient_descent_in_a_valley_takes_what_theory_says() -> None:
    """In the axes of the valley each coordinate shrinks by 1 - lr * curvature."""
    curvatures, rate = np.geomspace(0.01, 1.0, 10), 1.98

    def value(updates: int) -> float:
        return float(0.5 * (curvatures * (1 - rate * curvatures) ** (2 * updates)).sum())

    expected = next(k for k in range(1000) if value(k) <= 1e-6 * value(0))
    assert valley_updates(subject(Plain, lr=rate)) == expected == 320
    assert valley_updates(subject(HeavyBall)) < 160
    assert math.isinf(valley_updates(subject(Timid)))


def test_leaving_a_saddle() -> None:
    """The distance from the ridge grows by 1 + lr an update, from a millionth to about 0.7."""
    expected = math.log(0.7e6) / math.log(1.5)
    assert saddle_updates(subject(Plain, lr=0.5)) == pytest.approx(expected, abs=3)
    assert math.isinf(saddle_updates(subject(Timid)))


def test_the_curved_ravine() -> None:
    """Momentum gets far along it; a rate that is too low does not."""
    assert ravine_value(subject(HeavyBall)) < 0.1
    assert ravine_value(subject(Timid)) > 1


def test_steps_of_rare_coordinates() -> None:
    """Gradient descent: equal steps. AdaGrad: sums of 1 / sqrt(k) to 20 and to 400."""
    assert rare_step(subject(Plain)) == pytest.approx(1)
    few, many = (sum(1 / math.sqrt(k) for k in range(1, n + 1)) for n in (20, 400))
    assert rare_step(subject(Accumulating)) == pytest.approx(20 * few / many, rel=1e-9)
    assert rare_step(subject(Plain, lr=0.0)) == 0


def test_the_floor_of_the_loss_under_noise() -> None:
    """Gradient descent: in proportion to the variance. Steps of one size: less than that."""
    assert noise_exponent(subject(Plain)) == pytest.approx(1, abs=0.01)
    assert noise_exponent(subject(Sign)) < 0.8


def test_decades_of_rates_that_work() -> None:
    """Gradient descent at condition 10: from the rate that just gets there up to about 2."""
    spacing = math.log10(1e4) / 11
    assert rate_decades(subject(Plain)) == pytest.approx(1.37, abs=spacing)
    assert rate_decades(subject(Timid)) == 0
    assert math.isnan(rate_decades(subject(Plain, lr=0.1)))


def test_recovery_from_a_bad_gradient() -> None:
    """Gradient descent forgets it at the pace of its progress; AdaGrad never does."""
    assert 10 < recovery_updates(subject(Plain)) < 100
    assert math.isinf(recovery_updates(subject(Accumulating)))
