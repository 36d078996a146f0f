"""Every schedule agrees with an independent implementation, step by step in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optbench.records import StepControl
from optbench.registry import default_registry
from optbench.schedules import factors
from tests.support.packages import need

STEPS = 200
FINAL = 0.04

Oracle = Callable[[Any], Callable[[int], Any]]


def join(optax: Any, warmup: int, after: Any) -> Callable[[int], Any]:
    """Return a linear warm-up that starts at one `warmup`-th of the rate, then `after`."""
    rise = optax.linear_schedule(1 / warmup, 1.0, warmup - 1)
    return optax.join_schedules([rise, after], [warmup])


ORACLES: dict[str, tuple[dict[str, Any], Oracle]] = {
    "constant": ({}, lambda optax: optax.constant_schedule(1.0)),
    "step": (
        {},
        lambda optax: optax.piecewise_constant_schedule(
            1.0, {STEPS // 2: 0.1, 3 * STEPS // 4: 0.1}
        ),
    ),
    "exponential": ({"final": FINAL}, lambda optax: optax.exponential_decay(1.0, STEPS, FINAL)),
    "linear": ({"final": FINAL}, lambda optax: optax.linear_schedule(1.0, FINAL, STEPS)),
    "cosine": (
        {"final": FINAL, "warmup": 0.1},
        lambda optax: join(optax, 20, optax.cosine_decay_schedule(1.0, STEPS - 20, FINAL)),
    ),
    "linear-warmup": ({}, lambda optax: join(optax, 20, optax.constant_schedule(1.0))),
    "one-cycle": (
        {"final": FINAL},
        lambda optax: optax.cosine_onecycle_schedule(STEPS, 1.0, 0.3, 25.0, 1 / (25 * FINAL)),
    ),
    "wsd": (
        {"final": FINAL, "warmup": 0.1},
        lambda optax: join(
            optax,
            20,
            optax.join_schedules(
                [optax.constant_schedule(1.0), optax.linear_schedule(1.0, FINAL, 36)], [144]
            ),
        ),
    ),
    "polynomial": (
        {"final": FINAL},
        lambda optax: optax.polynomial_schedule(1.0, FINAL, 2, STEPS),
    ),
}
"""What the schedule is given, and the optax schedule that it must equal."""


@pytest.mark.parametrize("name", ORACLES)
def test_agrees_with_optax(name: str) -> None:
    """They agree at each of 200 updates, to 1e-12."""
    jax = need("jax")
    optax = need("optax")
    given, oracle = ORACLES[name]
    control = StepControl(schedule=name, **given)
    with jax.enable_x64(True):
        schedule = oracle(optax)
        expected = np.array([float(schedule(step)) for step in range(STEPS)])
    actual = factors(default_registry().schedule(name), control, STEPS)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def test_every_builtin_schedule_has_an_oracle() -> None:
    """No schedule ships without a proof."""
    entries = default_registry().entries("schedules").values()
    assert {entry.name for entry in entries if entry.is_builtin} == set(ORACLES)
