"""LAMB."""

from __future__ import annotations

import numpy as np

from optbench import Array, StepContext, Stepper, decay, hyper
from optbench_builtin.portable import norm


class LAMB(Stepper):
    """Adam with each layer's step in proportion to the layer's weights.

    For each array: u = m_hat / (sqrt(v_hat) + eps) + weight_decay * theta,
    theta <- theta - lr * |theta| / |u| * u;  the ratio is 1 where either norm is 0.
    """

    name = "lamb"
    source = "You et al. 2020, Large Batch Optimization for Deep Learning, algorithm 2"
    url = "https://arxiv.org/abs/1904.00962"
    variant = "corrected for bias, the norm not clipped, biases scaled like weights (optax)"

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-6, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    weight_decay: float = hyper(0.0, "decoupled weight decay, inside the ratio", low=0)

    def init(self, params: list[Array], context: StepContext) -> list[tuple[Array, Array]]:
        return [(np.zeros_like(theta), np.zeros_like(theta)) for theta in params]

    def step(
        self,
        params: list[Array],
        grads: list[Array],
        state: list[tuple[Array, Array]],
        context: StepContext,
    ) -> list[tuple[Array, Array]]:
        h, t = context.h, context.t
        for theta, grad, (m, v) in zip(params, grads, state, strict=True):
            m[...] = h.beta1 * m + (1 - h.beta1) * grad
            v[...] = h.beta2 * v + (1 - h.beta2) * grad * grad
            u = m / (1 - h.beta1**t) / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)
            u += h.weight_decay * theta
            size, slope = norm(theta), norm(u)
            ratio = size / slope if size > 0 and slope > 0 else 1.0
            theta[...] -= h.lr * ratio * u
        return state
