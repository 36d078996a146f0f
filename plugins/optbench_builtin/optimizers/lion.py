"""Lion."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class Lion(Rule):
    """Lion: steps of one size, in the direction of the sign of a momentum.

    theta <- theta - lr * (sign(beta1 m + (1 - beta1) grad) + weight_decay * theta),
    m <- beta2 m + (1 - beta2) grad.
    """

    name = "lion"
    source = "Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2"
    url = "https://arxiv.org/abs/2302.06675"
    variant = "the sign is taken of the old m mixed by beta1, then beta2 updates m (optax)"

    lr: float = hyper(1e-4, "learning rate", low=0, log_range=(1e-6, 1e-2))
    beta1: float = decay(0.9, "share of the old mean in the step", span=(0.01, 0.5))
    beta2: float = decay(0.99, "decay of the mean", span=(1e-4, 0.1))
    weight_decay: float = hyper(1e-3, "decoupled weight decay", low=0, log_range=(1e-5, 0.1))
    slots = ("m",)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: int, h: Values) -> tuple[Array, Array]:
        direction = np.sign(h.beta1 * m + (1 - h.beta1) * grad)
        m = h.beta2 * m + (1 - h.beta2) * grad
        return theta - h.lr * (direction + h.weight_decay * theta), m
