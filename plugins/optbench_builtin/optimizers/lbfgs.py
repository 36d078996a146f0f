"""L-BFGS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optbench import Array, StepContext, Stepper, hyper
from optbench_builtin.portable import dot


@dataclass
class _State:
    """The last gradient and step, and the stored pairs (step, change of gradient)."""

    grad: Array | None
    step: Array
    pairs: list[tuple[Array, Array]]


class LBFGS(Stepper):
    """Quasi-Newton: a model of the curvature from the last steps and their gradient changes.

    s_k = theta_(k+1) - theta_k,  y_k = grad_(k+1) - grad_k,  theta <- theta - lr * H grad,
    with H from the last `history` pairs by the two-loop recursion, scaled by s'y / y'y.
    """

    name = "lbfgs"
    source = "Liu & Nocedal 1989, On the limited memory BFGS method, algorithm 2.1"
    url = "https://doi.org/10.1007/BF01589116"
    variant = (
        "no line search; first step along -grad by lr * min(1, 1 / |grad|_1); a pair with "
        "s'y <= 1e-10 is skipped (torch, one iteration a step, tolerances 0)"
    )
    needs = frozenset({"full-batch"})

    lr: float = hyper(
        1.0, "length of a step along the Newton direction", low=0, log_range=(0.01, 2)
    )
    history: int = hyper(10, "number of stored pairs", low=1, uniform_range=(5, 20))

    def init(self, params: list[Array], context: StepContext) -> _State:
        return _State(None, np.empty(0), [])

    def step(
        self, params: list[Array], grads: list[Array], state: _State, context: StepContext
    ) -> _State:
        h = context.h
        grad = np.concatenate([g.ravel() for g in grads])
        if state.grad is None:
            total = float(np.abs(grad).sum())
            state.step = -h.lr * min(1.0, 1 / total if total > 0 else 1.0) * grad
        else:
            change = grad - state.grad
            if dot(change, state.step) > 1e-10:
                state.pairs = [*state.pairs, (state.step, change)][-h.history :]
            state.step = h.lr * direction(grad, state.pairs)
        state.grad = grad
        offset = 0
        for theta in params:
            theta[...] += state.step[offset : offset + theta.size].reshape(theta.shape)
            offset += theta.size
        return state


def direction(grad: Array, pairs: list[tuple[Array, Array]]) -> Array:
    """Return ``-H grad`` by the two-loop recursion; the newest pair is the last."""
    q = -grad
    weights = []
    for s, y in reversed(pairs):
        weight = dot(s, q) / dot(y, s)
        q = q - weight * y
        weights.append(weight)
    if pairs:
        s, y = pairs[-1]
        q = q * (dot(s, y) / dot(y, y))
    for (s, y), weight in zip(pairs, reversed(weights), strict=True):
        q = q + (weight - dot(y, q) / dot(y, s)) * s
    return q
