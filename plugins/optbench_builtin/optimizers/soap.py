"""SOAP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optbench import Array, StepContext, Stepper, decay, hyper

Product = Callable[[Array, Array], Array]
"""Function that returns the product of two matrices."""


@dataclass
class _Layer:
    """Averages of one array; for a matrix also the statistics of its sides, with eigenvectors."""

    m: Array
    v: Array
    stats: list[Array]
    bases: list[Array]


class SOAP(Stepper):
    """Adam in the slowly turning eigenbasis of Shampoo's statistics.

    L <- b L + (1 - b) G G',  R <- b R + (1 - b) G' G,  Q_L, Q_R their eigenvectors,
    M <- beta1 M + (1 - beta1) G,  V <- beta2 V + (1 - beta2) (Q_L' G Q_R)^2,
    W <- (1 - lr * weight_decay) (W - lr * Q_L (M_rot_hat / (sqrt(V_hat) + eps)) Q_R'),
    M_rot = Q_L' M Q_R. Vectors follow Adam.
    """

    name = "soap"
    source = "Vyas et al. 2025, SOAP: Improving and Stabilizing Shampoo using Adam, algorithm 3"
    url = "https://arxiv.org/abs/2409.11321"
    variant = (
        "as the authors' code: the first gradient only sets the bases, and no step is taken; "
        "steps are counted from the second; eps is added to the raw root; weight decay comes last; "
        "eigenvectors by one power iteration and QR every `every` steps, V sorted along"
    )

    lr: float = hyper(3e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.95, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.95, "decay of the mean square", span=(1e-4, 0.1))
    shampoo_beta: float = decay(0.95, "decay of L and R")
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    weight_decay: float = hyper(0.0, "decoupled weight decay", low=0)
    every: int = hyper(10, "steps between new eigenvectors", low=1)

    def init(self, params: list[Array], context: StepContext) -> list[_Layer]:
        layers = []
        for p in params:
            sizes = p.shape if p.ndim == 2 else ()
            stats = [np.zeros((n, n), dtype=p.dtype) for n in sizes]
            layers.append(_Layer(np.zeros_like(p), np.zeros_like(p), stats, []))
        return layers

    def step(
        self, params: list[Array], grads: list[Array], state: list[_Layer], context: StepContext
    ) -> list[_Layer]:
        h = context.h
        for theta, grad, layer in zip(params, grads, state, strict=True):
            t = context.t - 1
            if t > 0:
                rotated = rotate(grad, layer.bases, context.matmul)
                layer.m[...] = h.beta1 * layer.m + (1 - h.beta1) * grad
                layer.v[...] = h.beta2 * layer.v + (1 - h.beta2) * rotated * rotated
                rate = h.lr * (1 - h.beta2**t) ** 0.5 / (1 - h.beta1**t)
                u = rotate(layer.m, layer.bases, context.matmul) / (np.sqrt(layer.v) + h.eps)
                theta[...] -= rate * rotate(u, [q.T for q in layer.bases], context.matmul)
                theta[...] -= h.lr * h.weight_decay * theta
            if layer.stats:
                for stat, side in zip(layer.stats, (grad, grad.T), strict=True):
                    square = context.matmul(side, side.T)
                    stat[...] = h.shampoo_beta * stat + (1 - h.shampoo_beta) * square
                if t == 0:
                    layer.bases = [_eigenvectors(stat) for stat in layer.stats]
                elif t % h.every == 0:
                    _turn(layer, context.matmul)
        return state


def rotate(matrix: Array, bases: list[Array], matmul: Product) -> Array:
    """Return ``Q_L' matrix Q_R``, or the matrix itself if there are no bases."""
    return matmul(matmul(bases[0].T, matrix), bases[1]) if bases else matrix


def _eigenvectors(stat: Array) -> Array:
    """Return the eigenvectors of a symmetric matrix in columns, largest eigenvalue first."""
    if not np.isfinite(stat).all():
        return np.full_like(stat, np.nan)  # the run has diverged, which is not an error
    return np.linalg.eigh(stat)[1][:, ::-1]


def _turn(layer: _Layer, matmul: Product) -> None:
    """Follow the eigenvectors by one power iteration, largest eigenvalue first."""
    for axis, (stat, basis) in enumerate(zip(layer.stats, layer.bases, strict=True)):
        moved = matmul(stat, basis)
        order = np.argsort(-(basis * moved).sum(axis=0), kind="stable")
        layer.v = np.take(layer.v, order, axis=axis)
        layer.bases[axis] = np.linalg.qr(moved[:, order])[0]
