"""What optimizers make of noisy gradients: momentum is an average, over about 1 / (1 - beta)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import optbench
from optbench.inspection.responses import draw_series, respond


@pytest.mark.parametrize("beta", [0.5, 0.8, 0.9])
def test_momentum_leaves_the_noise_of_an_average(beta: float) -> None:
    """The variance of v is (1 - beta) / (1 + beta) of the gradient's, that of sgd all of it."""
    series = draw_series(updates=400)
    noise = respond(f"momentum[beta={beta}]", series).noise
    assert noise == pytest.approx(math.sqrt((1 - beta) / (1 + beta)), rel=0.05)
    assert respond("sgd", series).noise == pytest.approx(1)


@pytest.mark.parametrize("beta", [0.5, 0.8, 0.9, 0.97])
def test_momentum_turns_after_the_half_life_of_its_average(beta: float) -> None:
    """What it averages of the old gradient has fallen to a half after log 2 / log(1 / beta)."""
    delay = respond(f"momentum[beta={beta}]", draw_series(updates=2000, noise=0.0)).delay
    half_life = math.log(2) / math.log(1 / beta)
    assert half_life < delay <= half_life + 1 + 1e-9


def test_steps_are_divided_by_the_learning_rate() -> None:
    """So optimizers with different rates can be compared; the series is the same for all."""
    series = draw_series(updates=20)
    for rate in (0.001, 2):
        steps = respond(f"sgd[lr={rate}]", series).steps
        np.testing.assert_allclose(steps, series.gradients, rtol=1e-9)


def test_every_optimizer_turns_with_the_gradient() -> None:
    """Whatever its kind, it goes against the new gradient in the end."""
    from optbench.registry import default_registry

    series = draw_series(updates=400)
    for name in default_registry().entries("optimizers"):
        response = respond(name, series)
        assert response.steps.shape == series.gradients.shape, name
        assert 1 <= response.delay < 200, name


@pytest.mark.parametrize(
    ("updates", "noise", "optimizer", "message"),
    [
        (3, 1.0, "sgd", "updates=3"),
        (10, -1.0, "sgd", "noise=-1.0"),
        (10, math.nan, "sgd", "noise=nan"),
        (10, 1.0, "sdg", "did you mean 'sgd'"),
        (10, 1.0, "sgd[lr=0]", "a learning rate of 0"),
    ],
)
def test_mistakes_are_explained(updates: int, noise: float, optimizer: str, message: str) -> None:
    """The value, and what is allowed."""
    with pytest.raises(optbench.ConfigError, match=message):
        respond(optimizer, draw_series(updates, noise))
