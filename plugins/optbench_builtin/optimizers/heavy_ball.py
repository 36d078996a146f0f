"""Heavy-ball momentum."""

from __future__ import annotations

from optbench import Array, Rule, Values, hyper


class HeavyBall(Rule):
    """Gradient descent with momentum as a sum: a ball that rolls on.

    m <- mu m + grad,  theta <- theta - lr * m,  m_0 = 0.
    """

    name = "heavy-ball"
    source = "Polyak 1964, Some methods of speeding up the convergence of iteration methods, eq. 9"
    variant = (
        "m is a sum and lr stands outside of it, no dampening (torch, optax); "
        "a step is 1 / (1 - mu) times as long as that of the average, `momentum`"
    )

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 10), scaled_by="mu")
    mu: float = hyper(0.9, "momentum", low=0, high=0.999999, one_minus_log_range=(1e-3, 0.5))
    slots = ("m",)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: int, h: Values) -> tuple[Array, Array]:
        m = h.mu * m + grad
        return theta - h.lr * m, m
