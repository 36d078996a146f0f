"""Adadelta."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class Adadelta(Rule):
    """Adadelta: the gradient over its root mean square, times that of the steps so far.

    s <- rho s + (1 - rho) grad^2,  step = sqrt(d + eps) / sqrt(s + eps) * grad,
    d <- rho d + (1 - rho) step^2,  theta <- theta - lr * step.
    """

    name = "adadelta"
    source = "Zeiler 2012, ADADELTA: An Adaptive Learning Rate Method, algorithm 1"
    url = "https://arxiv.org/abs/1212.5701"
    variant = "d averages the step before lr scales it (torch, optax); lr=1 is the paper"

    lr: float = hyper(1.0, "learning rate", low=0, log_range=(1e-2, 100))
    rho: float = decay(0.9, "decay of both mean squares", span=(1e-3, 0.3))
    eps: float = hyper(
        1e-6, "under both roots; sets the first steps", low=1e-30, log_range=(1e-10, 1)
    )
    slots = ("s", "d")

    @staticmethod
    def update(
        theta: Array, grad: Array, s: Array, d: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        s = h.rho * s + (1 - h.rho) * grad * grad
        step = np.sqrt(d + h.eps) / np.sqrt(s + h.eps) * grad
        d = h.rho * d + (1 - h.rho) * step * step
        return theta - h.lr * step, s, d
