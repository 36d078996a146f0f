"""Known results about Adam, reproduced with `optbench.trajectory`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from optbench_builtin.optimizers.adam import Adam
from optbench_builtin.optimizers.amsgrad import AMSGrad

import optbench
from optbench import Array, Rule


def bowl(x: Array) -> tuple[float, Array]:
    """A convex function with curvatures from 1 to 20."""
    curvature = np.linspace(1, 20, x.size)
    return 0.5 * float(curvature @ (x * x)), curvature * x


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_first_step_has_the_length_of_the_learning_rate(scale: float) -> None:
    """The first step is -lr g / (|g| + eps) for any beta1 and beta2.

    Source: Kingma & Ba 2015, section 2.1.
    """
    x0 = np.array([2.0, -0.5, 1.0]) * scale
    grad = bowl(x0)[1]
    path = optbench.trajectory("adam", bowl, x0, 1, lr=0.01, beta1=0.8, beta2=0.97, eps=1e-3)
    np.testing.assert_allclose(path[1] - x0, -0.01 * grad / (np.abs(grad) + 1e-3), rtol=1e-9)


def test_without_epsilon_the_scale_of_the_loss_does_not_matter() -> None:
    """With eps = 0 Adam's path is the same for L and for 1000 L.

    Source: Kingma & Ba 2015, section 2.1 (invariance to the scale of the gradients).
    """
    x0 = np.array([1.0, -2.0, 0.5, 3.0])
    plain = optbench.trajectory("adam", bowl, x0, 60, lr=0.05, eps=0.0)
    scaled = optbench.trajectory(
        "adam", lambda x: (1000 * bowl(x)[0], 1000 * bowl(x)[1]), x0, 60, lr=0.05, eps=0.0
    )
    np.testing.assert_allclose(scaled, plain, rtol=1e-9, atol=1e-12)


def test_a_huge_epsilon_turns_adam_into_debiased_momentum() -> None:
    """With eps = 1e8 and lr / eps fixed, the step is the mean gradient, debiased.

    Source: Choi et al. 2019, On Empirical Comparisons of Optimizers for Deep Learning, section 3
    (inclusion of momentum in Adam).
    """
    x0 = np.array([1.0, -2.0, 0.5])
    lr, beta, eps = 0.02, 0.9, 1e8
    path = optbench.trajectory("adam", bowl, x0, 50, lr=lr * eps, beta1=beta, eps=eps)
    x, average = x0.copy(), np.zeros(3)
    for step in range(1, 51):
        average = beta * average + (1 - beta) * bowl(x)[1]
        x = x - lr * average / (1 - beta**step)
        np.testing.assert_allclose(path[step], x, rtol=0, atol=1e-6)


def projected(base: type[Rule]) -> type[Rule]:
    """Return the rule with lr / sqrt t and each step clipped to [-1, 1], as in the proof."""
    plain: Callable[..., tuple[Any, ...]] = base.update

    class Projected(base):  # type: ignore[misc, valid-type]
        """A rule on an interval."""

        name = "projected"

        @staticmethod
        def update(theta: Array, grad: Array, *rest: Any) -> tuple[Any, ...]:
            *state, t, h = rest
            falling = optbench.Values({**h, "lr": h.lr / np.sqrt(t)})
            moved, *state = plain(theta, grad, *state, t, falling)
            return (np.clip(moved, -1, 1), *state)

    return Projected


def end_of_the_counterexample(base: type[Rule]) -> float:
    """Return the end of 20,000 steps from 0 on f_t(x) = 1010 x at every 101st step, else -10 x."""
    step = 0

    def loss(x: Array) -> tuple[float, Array]:
        nonlocal step
        step += 1
        slope = 1010.0 if step % 101 == 1 else -10.0
        return slope * float(x[0]), np.array([slope])

    path = optbench.trajectory(
        projected(base), loss, np.zeros(1), 20_000, lr=0.5, beta1=0.9, beta2=0.99, debias=False
    )
    return float(path[-101:].mean())


def test_adam_walks_to_the_worst_point_and_amsgrad_to_the_best() -> None:
    """The gradients sum to +10 every 101 steps, so -1 is best; Adam ends near +1.

    Source: Reddi, Kale & Kumar 2018, On the Convergence of Adam and Beyond, theorem 1 and
    section 5 (synthetic experiments).
    """
    assert end_of_the_counterexample(Adam) > 0.95
    assert end_of_the_counterexample(AMSGrad) < -0.8
