"""Gradient descent."""

from __future__ import annotations

from types import MappingProxyType

from optbench import Array, Rule, Values, hyper


class SGD(Rule):
    """Stochastic gradient descent: theta <- theta - lr * grad.

    With all examples in the batch this is batch gradient descent.
    """

    name = "sgd"
    source = "Robbins & Monro 1951, A Stochastic Approximation Method"
    url = "https://doi.org/10.1214/aoms/1177729586"
    variant = "no momentum, no weight decay"
    equivalents = MappingProxyType(
        {
            "torch": "torch.optim.SGD(params, lr={lr})",
            "optax": "optax.sgd({lr})",
            "keras": "keras.optimizers.SGD({lr})",
        }
    )

    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Values) -> tuple[Array]:
        return (theta - h.lr * grad,)
