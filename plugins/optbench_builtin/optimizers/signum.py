"""Signum."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class Signum(Rule):
    """Steps of one size, in the direction of the sign of the average gradient.

    m <- beta m + (1 - beta) grad,  theta <- theta - lr * sign(m).
    """

    name = "signum"
    source = "Bernstein et al. 2018, signSGD: Compressed Optimisation, algorithm 1 (Signum)"
    url = "https://arxiv.org/abs/1802.04434"
    variant = "no bias correction, which would not change a sign; sign(0) = 0 (optax)"

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-6, 1e-2))
    beta: float = decay(0.9, "decay of the average", span=(0.01, 0.5))
    slots = ("m",)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: int, h: Values) -> tuple[Array, Array]:
        m = h.beta * m + (1 - h.beta) * grad
        return theta - h.lr * np.sign(m), m
