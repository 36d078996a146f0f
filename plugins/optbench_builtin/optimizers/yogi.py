"""Yogi."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class Yogi(Rule):
    """Adam with a mean square that changes by a bounded amount, so that step sizes cannot jump.

    m <- beta1 m + (1 - beta1) grad,
    v <- v - (1 - beta2) sign(v - grad^2) grad^2,  v_0 = initial_accumulator,
    theta <- theta - lr * m_hat / (sqrt(v_hat) + eps).
    """

    name = "yogi"
    source = "Zaheer et al. 2018, Adaptive Methods for Nonconvex Optimization, algorithm 2"
    url = "https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization"
    variant = (
        "both averages corrected for bias, eps outside the root (optax); m_0 = 0 as in the paper, "
        "where optax starts m at initial_accumulator too"
    )

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-3, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    initial_accumulator: float = hyper(1e-6, "mean square before the first step", low=0)
    slots = ("m", "v")

    @staticmethod
    def init(theta: Array, h: Values) -> tuple[Array, Array]:
        return np.zeros_like(theta), np.full_like(theta, h.initial_accumulator)

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        m = h.beta1 * m + (1 - h.beta1) * grad
        square = grad * grad
        v = v - (1 - h.beta2) * np.sign(v - square) * square
        m_hat = m / (1 - h.beta1**t)
        v_hat = v / (1 - h.beta2**t)
        return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v
