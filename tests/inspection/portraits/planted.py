"""Optimizers with known properties."""

from __future__ import annotations

from typing import Any

import numpy as np

from optbench.contracts import Array, Rule, StepContext, Stepper, Value, hyper
from optbench.inspection.portraits.subject import Subject


class Plain(Rule):
    """Gradient descent."""

    name = "plain"
    lr: float = hyper(0.05, "learning rate", low=0, log_range=(1e-3, 1.0))

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> Any:
        return (theta - h.lr * grad,)


class Timid(Plain):
    """Gradient descent with a search range that is far too low."""

    name = "timid"
    lr: float = hyper(1e-4, "learning rate", low=0, log_range=(1e-5, 1e-4))


class Sign(Plain):
    """Steps of one size."""

    name = "sign"

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> Any:
        return (theta - h.lr * np.sign(grad),)


class HeavyBall(Rule):
    """Gradient descent with momentum."""

    name = "heavy"
    lr: float = hyper(0.05, "learning rate", low=0, log_range=(1e-3, 1.0))
    slots = ("v",)

    @staticmethod
    def update(theta: Any, grad: Any, v: Any, t: Any, h: Any) -> Any:
        v = 0.8 * v + grad
        return theta - h.lr * v, v


class Accumulating(Rule):
    """AdaGrad: a step shrinks with all gradients of its coordinate so far, and never recovers."""

    name = "accumulating"
    lr: float = hyper(0.05, "learning rate", low=0, log_range=(1e-3, 1.0))
    slots = ("v",)

    @staticmethod
    def update(theta: Any, grad: Any, v: Any, t: Any, h: Any) -> Any:
        v = v + grad * grad
        return theta - h.lr * grad / (np.sqrt(v) + 1e-300), v


class Relative(Stepper):
    """Steps in proportion to the norm of the parameters, as layer-wise methods take them."""

    name = "relative"
    lr: float = hyper(0.05, "learning rate", low=0, log_range=(1e-3, 1.0))

    def init(self, params: list[Array], ctx: StepContext) -> object:
        # Two arrays as large as the parameters, one half as large, and the parameters.
        return {"a": [np.zeros_like(p) for p in params], "deep": ({1: params[0] * 2},),
                "half": np.zeros(params[0].size // 2), "not its own": params}  # fmt: skip

    def step(self, params: list[Array], grads: list[Array], state: Any, ctx: StepContext) -> Any:
        for p, g in zip(params, grads, strict=True):
            p[...] = p - ctx.h.lr * np.linalg.norm(p) / np.linalg.norm(g) * g
        return state


def subject(optimizer: type[Rule] | type[Stepper], **values: Value) -> Subject:
    """Return the subject with values for its hyperparameters."""
    return Subject(optimizer.name, optimizer, values)
