"""Reports of the class "theta = theta - ...": the formula is right, and nothing is trained.

Inside a loop over the arrays the name gets a new value, and the network keeps its old one. Such an
optimizer never diverges, so its stability looks perfect.
"""

from __future__ import annotations

from typing import Any

import pytest

import optbench
from optbench import Array, Rule, StepContext, hyper
from tests.support.steppers import Stateless


class Rebound(Stateless):
    """Gradient descent that writes into nothing."""

    name = "rebound"

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        for theta, grad in zip(params, grads, strict=True):
            theta = theta - context.h.lr * grad  # noqa: PLW2901  (the mistake)


class Idle(Rule):
    """Gradient descent that returns what it was given."""

    name = "idle"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1.0))

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
        """Return the old theta."""
        return (theta + 0 * h.lr * grad,)


@pytest.mark.parametrize(
    ("optimizer", "hint"),
    [(Rebound, "a Stepper writes into its arrays: `theta -= ...`"), (Idle, "`update` of a Rule")],
)
def test_an_optimizer_that_trains_nothing_is_named(optimizer: type[Any], hint: str) -> None:
    """The caution counts its runs and has the hint for its kind; one that trains has none."""
    study = optbench.compare(
        [optimizer, "sgd"],
        datasets="iris",
        regimes="mini-batch",
        epochs=3,
        replicates=2,
        seeds=2,
        budget=2,
    )
    named = [line for line in study.leaderboard.warnings if "never changed" in line]
    assert len(named) == 1
    start = f"{optimizer.name}: 4 runs ended with exactly the losses that they started with"
    assert named[0].startswith(start)
    assert hint in named[0]
    assert ("Stepper" in named[0]) == (optimizer is Rebound)


def test_a_rate_of_0_is_named_as_the_cause() -> None:
    """Nothing is wrong with an optimizer that is told not to move."""
    study = optbench.compare(
        ["adam[lr=0]", "sgd"], datasets="iris", regimes="batch", epochs=2, seeds=2, replicates=2,
        ruleset="defaults", grid_points=4,
    )  # fmt: skip
    (line,) = [text for text in study.leaderboard.warnings if "never changed" in text]
    assert line.startswith("adam[lr=0]: 4 runs")
    assert line.endswith("its parameters never changed, because lr is 0")
