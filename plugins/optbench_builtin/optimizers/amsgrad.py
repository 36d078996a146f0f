"""AMSGrad."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class AMSGrad(Rule):
    """Adam with step sizes that never grow: it divides by the largest mean square so far.

    m and v as in Adam,  v_max <- max(v_max, v),
    theta <- theta - lr * m_hat / (sqrt(v_max / (1 - beta2^t)) + eps).
    """

    name = "amsgrad"
    source = "Reddi, Kale & Kumar 2018, On the Convergence of Adam and Beyond, algorithm 2"
    url = "https://openreview.net/forum?id=ryQu7f-RZ"
    variant = (
        "the maximum is over v itself, and corrected for bias afterwards (torch); "
        "debias_first=true takes it over the corrected v (optax); debias=false is the paper"
    )

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    debias: bool = hyper(True, "correct both averages for their start at 0")
    debias_first: bool = hyper(False, "correct v before the maximum, not after it")
    slots = ("m", "v", "v_max")

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, v_max: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array, Array]:
        bias1 = 1 - h.beta1**t if h.debias else 1.0
        bias2 = 1 - h.beta2**t if h.debias else 1.0
        m = h.beta1 * m + (1 - h.beta1) * grad
        v = h.beta2 * v + (1 - h.beta2) * grad * grad
        v_max = np.maximum(v_max, v / (bias2 if h.debias_first else 1.0))
        v_hat = v_max / (1.0 if h.debias_first else bias2)
        return theta - h.lr * (m / bias1) / (np.sqrt(v_hat) + h.eps), m, v, v_max
