"""A rule may keep what it was given: the engine's buffers do not change under it."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, hyper, trajectory


class Keeper(Rule):
    """Adds the change of the gradient, and keeps gradient and point as they came."""

    name = "keeper"
    lr: float = hyper(0.1)
    slots = ("last_grad", "last_theta")

    @staticmethod
    def update(
        theta: Array, grad: Array, last_grad: Array, last_theta: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        change = grad - last_grad + theta - last_theta
        return theta - h.lr * change, grad, theta


def test_a_slot_may_be_the_gradient_or_the_point_itself() -> None:
    """The slots of the next step are the values of this one, not views of reused buffers."""
    path = trajectory(Keeper, lambda x: (0.0, 2 * x), np.array([1.0]), 2)[:, 0]
    first = 1.0 - 0.1 * (2.0 + 1.0)
    second = first - 0.1 * (2 * first - 2.0 + first - 1.0)
    np.testing.assert_allclose(path, [1.0, first, second], rtol=1e-15)
