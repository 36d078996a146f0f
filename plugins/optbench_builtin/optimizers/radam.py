"""RAdam."""

from __future__ import annotations

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class RAdam(Rule):
    """Adam that trusts its step sizes only once their variance is bounded.

    rho_inf = 2 / (1 - beta2) - 1,  rho = rho_inf - 2 t beta2^t / (1 - beta2^t);
    rho > 5:  theta <- theta - lr * r * m_hat * sqrt(1 - beta2^t) / (sqrt(v) + eps),
    r^2 = (rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho);
    else:  theta <- theta - lr * m_hat.
    """

    name = "radam"
    source = "Liu et al. 2020, On the Variance of the Adaptive Learning Rate, algorithm 2"
    url = "https://arxiv.org/abs/1908.03265"
    variant = (
        "rho > 5 (torch), not > 4 as in the paper; with beta2 = 0.999 step 6 is the first "
        "rectified. eps is added to the raw root (torch), or after the bias correction with "
        "eps_debiased=true (optax)"
    )

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    eps_debiased: bool = hyper(False, "add eps after the bias correction of v")
    slots = ("m", "v")

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        m = h.beta1 * m + (1 - h.beta1) * grad
        v = h.beta2 * v + (1 - h.beta2) * grad * grad
        m_hat = m / (1 - h.beta1**t)
        bias2 = 1 - h.beta2**t
        rho_inf = 2 / (1 - h.beta2) - 1
        rho = rho_inf - 2 * t * h.beta2**t / bias2
        below = (rho_inf - 4) * (rho_inf - 2) * rho if rho > 5 else 1.0
        trust = (rho - 4) * (rho - 2) * rho_inf / below if rho > 5 else 0.0
        rate = h.lr * np.sqrt(trust * bias2)
        eps = h.eps * (np.sqrt(bias2) if h.eps_debiased else 1.0)
        step = rate * m_hat / (np.sqrt(v) + eps) if rho > 5 else h.lr * m_hat
        return theta - step, m, v
