"""RMSprop."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class RMSprop(Rule):
    """RMSprop: the gradient over the root of its mean square; over its deviation if centered.

    s <- rho s + (1 - rho) grad^2,  theta <- theta - lr * grad / (sqrt(s) + eps).
    Centered: m <- rho m + (1 - rho) grad, and max(s - m^2, 0) replaces s under the root.
    With eps_in_root the denominator is sqrt(s + eps).
    """

    name = "rmsprop"
    source = "Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013, arXiv:1308.0850, eq. 38"
    url = "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf"
    variant = (
        "eps outside the root, s_0 = 0, no momentum, no bias correction (torch); "
        "eps_in_root=true is optax. The centered variance is clamped at 0, which torch omits"
    )
    equivalents = MappingProxyType(
        {
            "torch": "torch.optim.RMSprop(params, lr={lr}, alpha={rho}, eps={eps})",
            "optax": "optax.rmsprop({lr}, decay={rho}, eps={eps}, eps_in_sqrt=False)",
        }
    )

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-5, 0.1))
    rho: float = decay(0.99, "decay of the mean square", span=(1e-3, 0.3))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0)
    centered: bool = hyper(False, "divide by the deviation, not by the root mean square")
    eps_in_root: bool = hyper(False, "add eps under the root instead of after it")
    slots = ("s", "m")

    @staticmethod
    def update(
        theta: Array, grad: Array, s: Array, m: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        s = h.rho * s + (1 - h.rho) * grad * grad
        m = h.rho * m + (1 - h.rho) * grad if h.centered else m
        spread = np.maximum(s - m * m, 0) if h.centered else s
        denominator = np.sqrt(spread + h.eps) if h.eps_in_root else np.sqrt(spread) + h.eps
        return theta - h.lr * grad / denominator, s, m
