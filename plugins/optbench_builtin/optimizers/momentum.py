"""Momentum as an average of gradients."""

from __future__ import annotations

from optbench import Array, Rule, Values, decay, hyper


class Momentum(Rule):
    """Gradient descent along a running average of the gradients.

    v <- beta v + (1 - beta) grad,  theta <- theta - lr * v,  v_0 = 0.
    """

    name = "momentum"
    source = "Polyak 1964, Some methods of speeding up the convergence of iteration methods"
    url = "https://doi.org/10.1016/0041-5553(64)90137-5"
    variant = (
        "v is an average: the gradient is weighted by 1 - beta; no bias correction. "
        "With lr / (1 - beta) for lr, heavy-ball takes the same path at a constant rate"
    )

    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
    beta: float = decay(0.9, "decay of the average", span=(1e-3, 0.5))
    slots = ("v",)

    @staticmethod
    def update(theta: Array, grad: Array, v: Array, t: int, h: Values) -> tuple[Array, Array]:
        v = h.beta * v + (1 - h.beta) * grad
        return theta - h.lr * v, v
