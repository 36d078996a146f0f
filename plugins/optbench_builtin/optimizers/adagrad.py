"""AdaGrad."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, hyper


class AdaGrad(Rule):
    """AdaGrad: every weight's rate shrinks with the squares of all its gradients so far.

    s <- s + grad^2,  theta <- theta - lr * grad / (sqrt(s) + eps),  s_0 = initial_accumulator;
    with eps_in_root the denominator is sqrt(s + eps).
    """

    name = "adagrad"
    source = "Duchi, Hazan & Singer 2011, Adaptive Subgradient Methods, figure 1 (diagonal)"
    url = "https://jmlr.org/papers/v12/duchi11a.html"
    variant = (
        "s_0 = 0 and eps outside the root (torch, lr_decay=0); "
        "initial_accumulator=0.1,eps=1e-7,eps_in_root=true is optax"
    )

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 1))
    eps: float = hyper(1e-10, "keeps the denominator from 0", low=0)
    initial_accumulator: float = hyper(0.0, "sum of squares before the first step", low=0)
    eps_in_root: bool = hyper(False, "add eps under the root instead of after it")
    slots = ("s",)

    @staticmethod
    def init(theta: Array, h: Values) -> tuple[Array]:
        return (np.full_like(theta, h.initial_accumulator),)

    @staticmethod
    def update(theta: Array, grad: Array, s: Array, t: int, h: Values) -> tuple[Array, Array]:
        s = s + grad * grad
        denominator = np.sqrt(s + h.eps) if h.eps_in_root else np.sqrt(s) + h.eps
        return theta - h.lr * grad / denominator, s
