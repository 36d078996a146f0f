"""The theory of gradient descent on quadratics, reproduced with `optbench.trajectory`."""

from __future__ import annotations

import math

import numpy as np
import pytest

import optbench
from optbench import Array

STIFF, FLAT = 100.0, 1.0
"""Largest and smallest eigenvalue of a quadratic of condition 100."""
KAPPA = STIFF / FLAT


def valley(x: Array) -> tuple[float, Array]:
    """Return half the sum of STIFF x^2 and FLAT y^2, and its gradient."""
    curvature = np.array([STIFF, FLAT])
    return 0.5 * float(curvature @ (x * x)), curvature * x


def rate(path: Array, first: int, last: int) -> float:
    """Return the mean factor on the distance to the minimum per step, between two steps."""
    distance = np.linalg.norm(path, axis=1)
    return float((distance[last] / distance[first]) ** (1 / (last - first)))


def test_gradient_descent_at_its_best_rate_contracts_as_the_condition_says() -> None:
    """With lr = 2 / (L + mu) every step multiplies the distance by (k - 1) / (k + 1) = 0.98020.

    Source: Polyak 1987, Introduction to Optimization, section 1.4.2, theorem 3.
    """
    path = optbench.trajectory("sgd", valley, np.ones(2), 400, lr=2 / (STIFF + FLAT))
    assert rate(path, 0, 400) == pytest.approx((KAPPA - 1) / (KAPPA + 1), rel=1e-9)


def test_a_larger_rate_than_two_over_the_curvature_diverges() -> None:
    """Gradient descent is stable below 2 / L and grows above it.

    Source: Polyak 1987, Introduction to Optimization, section 1.4.2.
    """
    below = optbench.trajectory("sgd", valley, np.ones(2), 200, lr=1.99 / STIFF)
    above = optbench.trajectory("sgd", valley, np.ones(2), 200, lr=2.01 / STIFF)
    assert abs(below[-1, 0]) < 1 < abs(above[-1, 0])


def test_the_heavy_ball_at_its_optimum_needs_the_root_of_the_condition() -> None:
    """Its rate tends to (sqrt k - 1) / (sqrt k + 1) = 0.8182, far below plain descent's 0.9802.

    Source: Polyak 1964, Some methods of speeding up the convergence of iteration methods.
    """
    best = (math.sqrt(KAPPA) - 1) / (math.sqrt(KAPPA) + 1)
    lr = 4 / (math.sqrt(STIFF) + math.sqrt(FLAT)) ** 2
    path = optbench.trajectory("heavy-ball", valley, np.ones(2), 160, lr=lr, mu=best**2)
    # The iterates have a factor t beside the power, which hardly matters late.
    assert rate(path, 100, 160) == pytest.approx(best, abs=0.015)
    assert best == pytest.approx(0.8182, abs=1e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("lr", [0.1, 0.5])
def test_the_noise_floor_of_sgd_is_the_one_that_theory_gives(lr: float, momentum: float) -> None:
    """With a constant rate the loss stays at eta s^2 (1+b) / (2B (1-b) (2(1+b) - eta h)).

    Source: Mandt, Hoffman & Blei 2017, Stochastic Gradient Descent as Approximate Bayesian
    Inference, section 4 (momentum: 4.2); here exact in eta, from the recursion's covariance.
    """
    curvature, noise, batch = 1.0, 2.0, 4
    rng = np.random.default_rng(0)

    def noisy(x: Array) -> tuple[float, Array]:
        return 0.0, curvature * x + rng.normal(size=x.shape) * noise / math.sqrt(batch)

    path = optbench.trajectory("heavy-ball", noisy, np.zeros(2000), 1500, lr=lr, mu=momentum)
    measured = float((0.5 * curvature * path[300:] ** 2).mean())
    spread = 2 * (1 + momentum) - lr * curvature
    floor = lr * noise**2 * (1 + momentum) / (2 * batch * (1 - momentum) * spread)
    assert measured == pytest.approx(floor, rel=0.02)
