"""Reports of the class "a sweep of nothing": a declared name that no formula uses.

A forgotten `weight_decay` leaves every other check in order, and a board then ranks equal runs.
Each hyperparameter, each choice and each state has to make a difference somewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optbench import Array, Initializer, Rule, StepContext, Stepper, Values, decay, hyper
from optbench.conformance import CHECKS, run_check

MATTERS = CHECKS["check_every_hyperparameter_matters"]
CHANGES_WEIGHTS = CHECKS["check_every_hyperparameter_changes_weights"]
STATE_MATTERS = CHECKS["check_every_state_matters"]


class ForgottenDecay(Rule):
    """Descent that reads its weight decay and does nothing with it."""

    name = "forgotten-decay"
    lr: float = hyper(0.1, low=0)
    weight_decay: float = hyper(0.0, low=0)

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Values) -> Any:
        wd = h.weight_decay  # noqa: F841  (the fault)
        return (theta - h.lr * grad,)


class ForgottenChoice(Rule):
    """Descent with three forms, two of them the same."""

    name = "forgotten-choice"
    lr: float = hyper(0.1, low=0)
    form: str = hyper("plain", choices=("plain", "sign", "cubic"))

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Values) -> Any:
        return (theta - h.lr * (np.sign(grad) if h.form == "sign" else grad),)


class ForgottenFlag(Stepper):
    """Momentum with a flag for Nesterov's step, which nothing looks at."""

    name = "forgotten-flag"
    lr: float = hyper(0.1, low=0)
    momentum: float = decay(0.0)
    nesterov: bool = hyper(False)
    uses_the_flag = False

    def init(self, params: list[Array], context: StepContext) -> Any:
        return [np.zeros_like(p) for p in params]

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        h = context.h
        for theta, grad, v in zip(params, grads, state, strict=True):
            v[...] = h.momentum * v + grad
            ahead = self.uses_the_flag and h.nesterov
            theta[...] = theta - h.lr * (h.momentum * v + grad if ahead else v)


class Nesterov(ForgottenFlag):
    """The same with a flag that matters only beside a momentum above 0."""

    name = "flag-beside-momentum"
    uses_the_flag = True


class Clipped(Rule):
    """Descent with a limit that small gradients never reach, and an eps that large ones hide."""

    name = "clipped"
    lr: float = hyper(0.1, low=0)
    limit: float = hyper(100.0, low=0)
    eps: float = hyper(1e-8, low=0)

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Values) -> Any:
        grad = np.clip(grad, -h.limit, h.limit)
        return (theta - h.lr * grad / (np.abs(grad) + h.eps) ** 0.5,)


class ForgottenSlot(Rule):
    """Momentum with a mean square that is kept up and never used."""

    name = "forgotten-slot"
    lr: float = hyper(0.1, low=0)
    slots = ("m", "v")

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, v: Array, t: int, h: Values) -> Any:
        m = 0.9 * m + 0.1 * grad
        return theta - h.lr * m, m, 0.99 * v + 0.01 * grad**2


class ForgottenScalar(Rule):
    """Descent that counts its steps for nothing."""

    name = "forgotten-scalar"
    lr: float = hyper(0.1, low=0)
    scalars = {"count": 0.0}  # noqa: RUF012

    @staticmethod
    def update(theta: Array, grad: Array, count: float, t: int, h: Values) -> Any:
        return theta - h.lr * grad, count + 1


class ForgottenGain(Initializer):
    """Normal weights without their gain."""

    name = "forgotten-gain"
    gain: float = hyper(1.0, low=0)

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(0, n_in**-0.5, (n_in, n_out))


@pytest.mark.parametrize(
    ("check", "item", "named"),
    [
        (MATTERS, ForgottenDecay, "weight_decay=0.1"),
        (MATTERS, ForgottenChoice, "form=cubic"),
        (MATTERS, ForgottenFlag, "nesterov=True"),
        (STATE_MATTERS, ForgottenSlot, "'v'"),
        (STATE_MATTERS, ForgottenScalar, "'count'"),
        (CHANGES_WEIGHTS, ForgottenGain, "gain=1.5"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_nothing_uses_is_found(check: Any, item: type, named: str) -> None:
    """The check names the hyperparameter or the state, and both ways out."""
    outcome = run_check(check, item)
    assert outcome.verdict == "failed"
    assert named in outcome.detail
    assert "use" in outcome.detail
    assert "take it out" in outcome.detail


@pytest.mark.parametrize("item", [Nesterov, Clipped])
def test_what_matters_on_some_problem_only_passes(item: type) -> None:
    """Limits, small constants and flags that another value switches on are no sweep of nothing."""
    assert run_check(MATTERS, item).verdict == "passed"
