"""AdaMax."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class AdaMax(Rule):
    """Adam with the largest recent gradient in place of the root mean square.

    m <- beta1 m + (1 - beta1) grad,  u <- max(beta2 u, |grad| + eps),
    theta <- theta - lr / (1 - beta1^t) * m / u.
    """

    name = "adamax"
    source = "Kingma & Ba 2015, Adam: A Method for Stochastic Optimization, algorithm 2"
    url = "https://arxiv.org/abs/1412.6980"
    variant = "eps is added to |grad| inside the maximum (torch, optax); the paper has none"

    lr: float = hyper(2e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps u from 0", low=1e-30, log_range=(1e-10, 1))
    slots = ("m", "u")

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, u: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        m = h.beta1 * m + (1 - h.beta1) * grad
        u = np.maximum(h.beta2 * u, np.abs(grad) + h.eps)
        return theta - h.lr / (1 - h.beta1**t) * m / u, m, u
