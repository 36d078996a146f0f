"""AdamW."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from optbench import Array, Rule, Values, decay, hyper


class AdamW(Rule):
    """Adam with weight decay decoupled from the gradient.

    theta <- theta - lr * weight_decay * theta - lr * m_hat / (sqrt(v_hat) + eps).
    """

    name = "adamw"
    source = "Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, algorithm 2"
    url = "https://arxiv.org/abs/1711.05101"
    variant = "the decay is multiplied by lr, and applies to biases too (torch, optax)"
    equivalents = MappingProxyType(
        {
            "torch": (
                "torch.optim.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, "
                "weight_decay={weight_decay})"
            ),
            "optax": (
                "optax.adamw({lr}, b1={beta1}, b2={beta2}, eps={eps}, weight_decay={weight_decay})"
            ),
            "keras": (
                "keras.optimizers.AdamW({lr}, weight_decay={weight_decay}, "
                "beta_1={beta1}, beta_2={beta2}, "
                "epsilon={eps})  # before the bias correction"
            ),
        }
    )

    lr: float = hyper(1e-3, "learning rate", low=0, log_range=(1e-5, 1e-1))
    beta1: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
    beta2: float = decay(0.999, "decay of the mean square", span=(1e-4, 0.1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1))
    weight_decay: float = hyper(0.01, "decoupled weight decay", low=0, log_range=(1e-5, 0.1))
    slots = ("m", "v")

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, t: int, h: Values
    ) -> tuple[Array, Array, Array]:
        m = h.beta1 * m + (1 - h.beta1) * grad
        v = h.beta2 * v + (1 - h.beta2) * grad * grad
        m_hat = m / (1 - h.beta1**t)
        v_hat = v / (1 - h.beta2**t)
        step = m_hat / (np.sqrt(v_hat) + h.eps) + h.weight_decay * theta
        return theta - h.lr * step, m, v
