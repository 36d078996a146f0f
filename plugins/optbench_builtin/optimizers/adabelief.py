"""AdaBelief."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class AdaBelief(Rule):
    """Adam that divides by how far gradients stray from their mean, not by their size.

    m <- beta1 m + (1 - beta1) grad,  s <- beta2 s + (1 - beta2) (grad - m)^2 + eps,
    theta <- theta - lr * m_hat / (sqrt(s_hat) + eps).
    """

    name = "adabelief"
    source = "Zhuang et al. 2020, AdaBelief Optimizer, algorithm 2"
    url = "https://arxiv.org/abs/2010.07468"
    variant = "the new m enters s; eps is added to s at every step and again after the root (optax)"

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    # The range is the square of Adam's, since this eps stands under the root.
    eps: float = hyper(1e-16, "in s and in the denominator", low=0, log_range=(1e-20, 1))
    slots = ("m", "s")

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, s: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        m = h.beta1 * m + (1 - h.beta1) * grad
        error = grad - m
        s = h.beta2 * s + (1 - h.beta2) * error * error + h.eps
        m_hat = m / (1 - h.beta1**t)
        s_hat = s / (1 - h.beta2**t)
        return theta - h.lr * m_hat / (np.sqrt(s_hat) + h.eps), m, s
