"""NAdam."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class NAdam(Rule):
    """Adam with Nesterov momentum.

    m and v as in Adam,  mu_t = beta1 (1 - 0.96^(momentum_decay t) / 2),  p_t = mu_1 ... mu_t,
    m_hat = mu_(t+1) m / (1 - p_(t+1)) + (1 - mu_t) grad / (1 - p_t),
    theta <- theta - lr * m_hat / (sqrt(v_hat) + eps).
    """

    name = "nadam"
    source = "Dozat 2016, Incorporating Nesterov Momentum into Adam, algorithm 2"
    url = "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ"
    variant = (
        "the momentum warms up as in the paper (torch); momentum_warmup=false keeps mu_t = beta1 "
        "(optax); eps outside the root, after the bias correction"
    )

    lr: float = hyper(2e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    momentum_warmup: bool = hyper(True, "let the momentum rise from beta1 / 2 to beta1")
    momentum_decay: float = hyper(4e-3, "speed of that rise", low=0)
    slots = ("m", "v")
    scalars: ClassVar[dict[str, float]] = {"p": 1.0}

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, p: float, t: int, h: Values
    ) -> tuple[Array, Array, Array, float]:
        rise = 0.5 * 0.96 ** (t * h.momentum_decay) if h.momentum_warmup else 0.0
        rise_next = 0.5 * 0.96 ** ((t + 1) * h.momentum_decay) if h.momentum_warmup else 0.0
        mu = h.beta1 * (1 - rise)
        mu_next = h.beta1 * (1 - rise_next)
        p = p * mu
        m = h.beta1 * m + (1 - h.beta1) * grad
        v = h.beta2 * v + (1 - h.beta2) * grad * grad
        m_hat = mu_next / (1 - p * mu_next) * m + (1 - mu) / (1 - p) * grad
        v_hat = v / (1 - h.beta2**t)
        return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v, p
