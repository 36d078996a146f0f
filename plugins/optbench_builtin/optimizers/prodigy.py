"""Prodigy."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from optbench import Array, StepContext, Stepper, decay, hyper
from optbench_builtin.portable import dot


@dataclass
class _State:
    """The initial parameters, Adam's averages, and the estimate d with its two sums."""

    start: list[Array]
    m: list[Array]
    v: list[Array]
    s: list[Array]
    d: float
    gain: float = 0.0


class Prodigy(Stepper):
    """Adam that estimates its own learning rate: d, the distance to the solution.

    rate = lr * d * sqrt(1 - beta2^t) / (1 - beta1^t),
    m <- beta1 m + (1 - beta1) d grad,  v <- beta2 v + (1 - beta2) d^2 grad^2,
    r <- beta3 r + d / d0 * rate * <grad, theta_0 - theta>,
    s <- beta3 s + d / d0 * rate * grad,  beta3 = sqrt(beta2),
    d <- max(d, d_coef * r / |s|_1)   (over all arrays together),
    theta <- theta - rate * (m / (sqrt(v) + d eps) + weight_decay * theta).
    """

    name = "prodigy"
    source = "Mishchenko & Defazio 2024, Prodigy: An Expeditiously Adaptive Method, algorithm 4"
    url = "https://arxiv.org/abs/2306.06101"
    variant = (
        "rate corrected for bias, d never falls, eps is multiplied by the new d (optax); the paper "
        "intends lr = 1"
    )
    expected_failures = MappingProxyType(
        {"check_every_state_changes": "it keeps theta_0, from which it measures the distance"}
    )

    lr: float = hyper(1.0, "factor on the estimated rate", low=0, log_range=(0.1, 10))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    d0: float = hyper(1e-6, "first estimate of d", low=1e-30)
    d_coef: float = hyper(1.0, "factor on the estimate", low=0)
    weight_decay: float = hyper(0.0, "decoupled weight decay", low=0)

    def init(self, params: list[Array], context: StepContext) -> _State:
        def zeros() -> list[Array]:
            return [np.zeros_like(p) for p in params]

        return _State([p.copy() for p in params], zeros(), zeros(), zeros(), context.h.d0)

    def step(
        self, params: list[Array], grads: list[Array], state: _State, context: StepContext
    ) -> _State:
        h, t, d = context.h, context.t, state.d
        beta3 = h.beta2**0.5
        rate = h.lr * d * (1 - h.beta2**t) ** 0.5 / (1 - h.beta1**t)
        state.gain *= beta3
        size = 0.0
        for theta, grad, m, v, s, start in zip(
            params, grads, state.m, state.v, state.s, state.start, strict=True
        ):
            state.gain += d / h.d0 * rate * dot(grad, start - theta)
            m[...] = h.beta1 * m + (1 - h.beta1) * d * grad
            v[...] = h.beta2 * v + (1 - h.beta2) * (d * grad) ** 2
            s[...] = beta3 * s + d / h.d0 * rate * grad
            size += float(np.abs(s).sum())
        # Before the first gradient that is not 0 there is nothing to estimate from.
        state.d = max(d, h.d_coef * state.gain / size) if size > 0 else d
        for theta, m, v in zip(params, state.m, state.v, strict=True):
            spread = np.sqrt(v) + state.d * h.eps
            theta[...] -= rate * (m / spread + h.weight_decay * theta)
        return state
