"""Sophia."""

from __future__ import annotations

import numpy as np

from optbench import Array, StepContext, Stepper, decay, hyper


class Sophia(Stepper):
    """Momentum over an estimate of the Hessian's diagonal, clipped to steps of one size.

    m <- beta1 m + (1 - beta1) grad,  u = clip(m_hat / max(gamma h, eps), -1, 1),
    theta <- theta - lr * (u + weight_decay * theta),
    and at every `every`-th step, from the first:  h <- beta2 h + (1 - beta2) z * (H z),
    z random signs, H z from the gradients at theta and theta + r z,
    r = radius * (1 + max |theta|). The second gradient counts as a gradient evaluation.
    """

    name = "sophia"
    source = "Liu et al. 2024, Sophia: A Scalable Stochastic Second-order Optimizer, algorithm 3"
    url = "https://arxiv.org/abs/2305.14342"
    variant = (
        "Sophia-H: Hutchinson's estimate, by a difference of gradients on the same examples, where "
        "the paper differentiates exactly; m corrected for bias, a new h is used from the next "
        "step on (optax)"
    )
    needs = frozenset({"closure", "rng"})

    lr: float = hyper(1e-3, "learning rate, the longest step", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.965, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.99, "decay of the curvature", span=(1e-4, 0.1))
    gamma: float = hyper(
        0.01, "factor on the curvature; a smaller one clips more", low=0, log_range=(1e-3, 10)
    )
    eps: float = hyper(1e-8, "smallest curvature", low=1e-30)
    weight_decay: float = hyper(0.0, "decoupled weight decay", low=0)
    # About the root of float32's precision, where rounding and the change of curvature balance.
    radius: float = hyper(
        1e-3, "distance of the second gradient, in units of 1 + max |theta|", low=1e-8
    )
    every: int = hyper(10, "steps between estimates of the curvature", low=1)

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
        # The closure writes the second gradient into `grads`.
        first = [grad.copy() for grad in grads]
        curvatures = None
        if (t - 1) % h.every == 0:
            curvatures = estimate_curvature(params, first, grads, context)
        for index, (theta, (m, curvature)) in enumerate(zip(params, state, strict=True)):
            m[...] = h.beta1 * m + (1 - h.beta1) * first[index]
            u = m / (1 - h.beta1**t) / np.maximum(h.gamma * curvature, h.eps)
            theta[...] -= h.lr * (np.clip(u, -1, 1) + h.weight_decay * theta)
            if curvatures is not None:
                curvature[...] = h.beta2 * curvature + (1 - h.beta2) * curvatures[index]
        return state


def estimate_curvature(
    params: list[Array], grads: list[Array], scratch: list[Array], context: StepContext
) -> list[Array]:
    """Return Hutchinson's estimate of the Hessian's diagonal; `params` are restored to the bit."""
    places = [theta.copy() for theta in params]
    signs = [
        (2 * context.rng.integers(2, size=theta.shape) - 1).astype(theta.dtype) for theta in params
    ]
    largest = max((float(np.abs(theta).max(initial=0)) for theta in params), default=0.0)
    r = context.h.radius * (1 + largest)
    for theta, sign in zip(params, signs, strict=True):
        theta[...] += r * sign
    context.closure()
    for theta, place in zip(params, places, strict=True):
        theta[...] = place
    return [
        sign * (after - before) / r
        for sign, after, before in zip(signs, scratch, grads, strict=True)
    ]
