"""Nesterov momentum."""

from __future__ import annotations

from types import MappingProxyType

from optbench import Array, Rule, Values, decay, hyper


class Nesterov(Rule):
    """Momentum that looks one step ahead.

    m <- mu m + grad,  theta <- theta - lr * (grad + mu m),  m_0 = 0.
    """

    name = "nesterov"
    source = (
        "Nesterov 1983, A method for solving the convex programming problem with convergence rate "
        "O(1/k^2); in this form Bengio, Boulanger-Lewandowski & Pascanu 2013, eq. 7"
    )
    url = "https://arxiv.org/abs/1212.0901"
    variant = (
        "gradient at theta, step along grad + mu m, m a sum (torch, optax); Sutskever's form, "
        "gradient at the lookahead point, is the same path seen at that point"
    )
    equivalents = MappingProxyType(
        {
            "torch": "torch.optim.SGD(params, lr={lr}, momentum={mu}, nesterov=True)",
            "optax": "optax.sgd({lr}, momentum={mu}, nesterov=True)",
            "keras": "keras.optimizers.SGD({lr}, momentum={mu}, nesterov=True)",
        }
    )

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 10), scaled_by="mu")
    mu: float = decay(0.9, "momentum", span=(1e-3, 0.5))
    slots = ("m",)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: int, h: Values) -> tuple[Array, Array]:
        m = h.mu * m + grad
        return theta - h.lr * (grad + h.mu * m), m
