"""Adan."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class Adan(Rule):
    """Adam with Nesterov momentum estimated from the change of the gradient.

    change = grad - previous grad (0 at the first step),
    m <- beta1 m + (1 - beta1) grad,  d <- beta2 d + (1 - beta2) change,
    n <- beta3 n + (1 - beta3) (grad + beta2 change)^2,
    theta <- theta - lr * ((m_hat + beta2 d_hat) / (sqrt(n_hat) + eps) + weight_decay * theta).
    """

    name = "adan"
    source = "Xie et al. 2022, Adan: Adaptive Nesterov Momentum Algorithm, algorithm 1"
    url = "https://arxiv.org/abs/2208.06677"
    variant = (
        "betas are decays (1 minus the paper's), all averages corrected for bias, weight decay "
        "decoupled without the proximal quotient. The change is weighted by beta2, as in the "
        "paper; optax weights it by 1 - beta2, which agrees only at beta2 = 0.5"
    )

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.98, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.92, "decay of the mean change", span=(0.01, 0.5))
    beta3: float = decay(0.99, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    weight_decay: float = hyper(0.0, "decoupled weight decay", low=0)
    slots = ("m", "d", "n", "previous")

    @staticmethod
    def update(
        theta: Array,
        grad: Array,
        m: Array,
        d: Array,
        n: Array,
        previous: Array,
        t: int,
        h: Values,
    ) -> tuple[Array, Array, Array, Array, Array]:
        change = grad - (previous if t > 1 else grad)
        ahead = grad + h.beta2 * change
        m = h.beta1 * m + (1 - h.beta1) * grad
        d = h.beta2 * d + (1 - h.beta2) * change
        n = h.beta3 * n + (1 - h.beta3) * ahead * ahead
        m_hat = m / (1 - h.beta1**t)
        d_hat = d / (1 - h.beta2**t)
        n_hat = n / (1 - h.beta3**t)
        step = (m_hat + h.beta2 * d_hat) / (np.sqrt(n_hat) + h.eps) + h.weight_decay * theta
        return theta - h.lr * step, m, d, n, grad
