"""Heavy-ball momentum."""

from __future__ import annotations

from types import MappingProxyType

from optbench import Array, Rule, Values, decay, hyper


class HeavyBall(Rule):
    """Gradient descent with momentum as a sum of gradients.

    m <- mu m + grad,  theta <- theta - lr * m,  m_0 = 0.
    """

    name = "heavy-ball"
    source = "Polyak 1964, Some methods of speeding up the convergence of iteration methods, eq. 9"
    url = "https://doi.org/10.1016/0041-5553(64)90137-5"
    variant = (
        "m is a sum, lr multiplies it from outside, no dampening (torch, optax); "
        "a step is 1 / (1 - mu) times as long as that of `momentum`, which averages"
    )
    equivalents = MappingProxyType(
        {
            "torch": "torch.optim.SGD(params, lr={lr}, momentum={mu})",
            "optax": "optax.sgd({lr}, momentum={mu})",
            "keras": "keras.optimizers.SGD({lr}, momentum={mu})",
        }
    )

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 10), scaled_by="mu")
    mu: float = decay(0.9, "momentum", span=(1e-3, 0.5))
    slots = ("m",)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: int, h: Values) -> tuple[Array, Array]:
        m = h.mu * m + grad
        return theta - h.lr * m, m
