"""Shampoo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optbench import Array, StepContext, Stepper, hyper


@dataclass
class _Layer:
    """Statistics of one array and their inverse roots, one of each per axis."""

    sums: list[Array]
    roots: list[Array]


class Shampoo(Stepper):
    """AdaGrad with one matrix per side of a weight matrix instead of one number per weight.

    L <- L + G G',  R <- R + G' G,  W <- W - lr * L^(-1/4) G R^(-1/4),  L_0 = R_0 = eps I.
    For a vector: H <- H + g g',  theta <- theta - lr * H^(-1/2) g.
    """

    name = "shampoo"
    source = "Gupta, Koren & Singer 2018, Shampoo: Preconditioned Stochastic Tensor Optimization"
    url = "https://arxiv.org/abs/1802.09568"
    variant = (
        "algorithm 1: sums, no momentum, no grafting; inverse roots are computed at each of the "
        "first `every` steps, and then at every `every`-th"
    )

    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1))
    eps: float = hyper(
        1e-4, "initial value on the diagonal of the sums", low=1e-30, log_range=(1e-10, 1)
    )
    every: int = hyper(10, "steps between new inverse roots", low=1)

    def init(self, params: list[Array], context: StepContext) -> list[_Layer]:
        h = context.h
        layers = []
        for theta in params:
            sums = [h.eps * np.eye(n, dtype=theta.dtype) for n in theta.shape]
            layers.append(_Layer(sums, [np.zeros_like(s) for s in sums]))
        return layers

    def step(
        self, params: list[Array], grads: list[Array], state: list[_Layer], context: StepContext
    ) -> list[_Layer]:
        h = context.h
        due = context.t <= h.every or context.t % h.every == 0
        for theta, grad, layer in zip(params, grads, state, strict=True):
            u = grad
            for axis, total in enumerate(layer.sums):
                sides = np.moveaxis(grad, axis, 0).reshape(len(total), -1)
                total[...] += context.matmul(sides, sides.T)
                if due:
                    layer.roots[axis] = inverse_root(total, 2 * grad.ndim, h.eps, context.matmul)
                moved = np.moveaxis(u, axis, 0)
                product = context.matmul(layer.roots[axis], moved.reshape(len(moved), -1))
                u = np.moveaxis(product.reshape(moved.shape), 0, axis)
            theta[...] -= h.lr * u
        return state


def inverse_root(
    matrix: Array, order: int, floor: float, matmul: Callable[[Array, Array], Array]
) -> Array:
    """Return ``matrix ** (-1 / order)`` of a symmetric matrix with no eigenvalue below `floor`."""
    if not np.isfinite(matrix).all():
        return np.full_like(matrix, np.nan)  # the run has diverged, which is not an error
    values, vectors = np.linalg.eigh(matrix)
    # Rounding can push an eigenvalue below its bound, even below 0.
    scale = np.maximum(values, floor) ** (-1 / order)
    return matmul(vectors * scale, vectors.T)
