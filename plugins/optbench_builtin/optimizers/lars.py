"""LARS."""

from __future__ import annotations

import numpy as np

from optbench import Array, StepContext, Stepper, decay, hyper
from optbench_builtin.portable import norm


class LARS(Stepper):
    """Heavy-ball momentum with each layer's step in proportion to the layer's weights.

    For each array: g = grad + weight_decay * theta,  r = trust * |theta| / (|g| + eps),
    m <- mu m + lr * r * g,  theta <- theta - m;  r = 1 where either norm is 0.
    """

    name = "lars"
    source = "You, Gitman & Ginsburg 2017, Large Batch Training of Convolutional Networks, eq. 6"
    url = "https://arxiv.org/abs/1708.03888"
    variant = "lr multiplies the gradient inside m; biases are scaled like weights (optax)"

    lr: float = hyper(1.0, "learning rate", low=0, log_range=(0.1, 1000), scaled_by="mu")
    mu: float = decay(0.9, "momentum", span=(1e-3, 0.5))
    trust: float = hyper(1e-3, "step as a fraction of the weights, at lr 1", low=0)
    weight_decay: float = hyper(0.0, "L2 penalty, inside the gradient", low=0)
    eps: float = hyper(0.0, "added to the norm of the gradient", low=0)

    def init(self, params: list[Array], context: StepContext) -> list[Array]:
        return [np.zeros_like(theta) for theta in params]

    def step(
        self, params: list[Array], grads: list[Array], state: list[Array], context: StepContext
    ) -> list[Array]:
        h = context.h
        for theta, grad, m in zip(params, grads, state, strict=True):
            g = grad + h.weight_decay * theta
            size, slope = norm(theta), norm(g)
            ratio = h.trust * size / (slope + h.eps) if size > 0 and slope > 0 else 1.0
            m[...] = h.mu * m + h.lr * ratio * g
            theta[...] -= m
        return state
