"""Adam."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class Adam(Rule):
    """Adam: momentum and a step size for each weight, both corrected for bias.

    m <- beta1 m + (1 - beta1) grad,  v <- beta2 v + (1 - beta2) grad^2,
    theta <- theta - lr * m_hat / (sqrt(v_hat) + eps),
    m_hat = m / (1 - beta1^t),  v_hat = v / (1 - beta2^t).
    """

    name = "adam"
    source = "Kingma & Ba 2015, Adam: A Method for Stochastic Optimization, algorithm 1"
    url = "https://arxiv.org/abs/1412.6980"
    variant = "eps outside the root, after the bias correction (torch, optax)"
    equivalents = MappingProxyType(
        {
            "torch": "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps})",
            "optax": "optax.adam({lr}, b1={beta1}, b2={beta2}, eps={eps})",
            "keras": (
                "keras.optimizers.Adam({lr}, beta_1={beta1}, beta_2={beta2}, "
                "epsilon={eps})  # before the bias correction"
            ),
        }
    )

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    debias: bool = hyper(True, "correct both averages for their start at 0")
    slots = ("m", "v")

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        m = h.beta1 * m + (1 - h.beta1) * grad
        v = h.beta2 * v + (1 - h.beta2) * grad * grad
        m_hat = m / (1 - h.beta1**t if h.debias else 1.0)
        v_hat = v / (1 - h.beta2**t if h.debias else 1.0)
        return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v
