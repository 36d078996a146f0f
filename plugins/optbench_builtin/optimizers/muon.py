"""Muon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optbench import Array, StepContext, Stepper, decay, hyper
from optbench_builtin.portable import norm

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic that drives singular values towards 1, fast rather than exactly."""


class Muon(Stepper):
    """Momentum that is made nearly orthogonal, matrix by matrix, before it is applied.

    m <- beta m + (1 - beta) grad,
    m_hat = beta m / (1 - beta^(t+1)) + (1 - beta) grad / (1 - beta^t),
    W <- W - lr * (sqrt(max(1, n_out / n_in)) * NS(m_hat) + weight_decay * W),
    NS: X <- m_hat / |m_hat|_F, then ns_steps times X <- a X + (b A + c A^2) X with A = X X'.
    Biases and other vectors follow Adam with Nesterov momentum at the rate vector_ratio * lr.
    """

    name = "muon"
    source = "Jordan et al. 2024, Muon: An optimizer for hidden layers in neural networks"
    url = "https://kellerjordan.github.io/posts/muon/"
    variant = (
        "Nesterov average corrected for bias, quintic in the dtype of the weights (optax; torch "
        "iterates in bfloat16); singular values of NS end between about 0.7 and 1.2; the first "
        "and the last matrix are not excepted"
    )

    lr: float = hyper(0.02, "learning rate", low=0, log_range=(1e-3, 0.1))
    beta: float = decay(0.95, "decay of the mean")
    ns_steps: int = hyper(5, "iterations towards an orthogonal matrix", low=1, high=50)
    eps: float = hyper(1e-8, "keeps both denominators from 0", low=0)
    weight_decay: float = hyper(0.0, "decoupled weight decay of matrices", low=0)
    vector_ratio: float = hyper(1.0, "rate of vectors as a fraction of lr", low=0)
    vector_beta1: float = decay(0.9, "decay of the mean, vectors")
    vector_beta2: float = decay(0.999, "decay of the mean square, vectors")

    def init(self, params: list[Array], context: StepContext) -> list[tuple[Array, Array]]:
        return [(np.zeros_like(p), np.zeros_like(p if p.ndim != 2 else p[:0])) for p in params]

    def step(
        self,
        params: list[Array],
        grads: list[Array],
        state: list[tuple[Array, Array]],
        context: StepContext,
    ) -> list[tuple[Array, Array]]:
        h, t = context.h, context.t
        for theta, grad, (m, v) in zip(params, grads, state, strict=True):
            matrix = theta.ndim == 2
            beta = h.beta if matrix else h.vector_beta1
            m[...] = beta * m + (1 - beta) * grad
            ahead = beta / (1 - beta ** (t + 1)) * m + (1 - beta) / (1 - beta**t) * grad
            if matrix:
                n_in, n_out = theta.shape
                scale = max(1.0, n_out / n_in) ** 0.5
                u = scale * orthogonalize(ahead, h.ns_steps, h.eps, context.matmul)
                theta[...] -= h.lr * (u + h.weight_decay * theta)
            else:
                v[...] = h.vector_beta2 * v + (1 - h.vector_beta2) * grad * grad
                spread = np.sqrt(v / (1 - h.vector_beta2**t)) + h.eps
                theta[...] -= h.lr * h.vector_ratio * ahead / spread
        return state


def orthogonalize(
    matrix: Array, steps: int, eps: float, matmul: Callable[[Array, Array], Array]
) -> Array:
    """Move every singular value of a matrix close to 1 (quintic Newton-Schulz iteration)."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (norm(x) + eps)
    for _ in range(steps):
        gram = matmul(x, x.T)
        x = a * x + matmul(b * gram + c * matmul(gram, gram), x)
    return x.T if tall else x
