"""Reports of a typed 0 that is taken for "not given", and of schedules wrong in short runs.

``warmup=0`` with a schedule that warms up, ``final=0`` with one that ends above 0, a run of one
update, a warm-up that is longer than the run: the numbers must be those of the formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

import optbench
from optbench import Array, ConfigError, Schedule
from optbench.engine.specs import make_entrant
from optbench.registry import default_registry
from optbench.registry.scoped import ScopedRegistry
from optbench.schedules import factors

REGISTRY = default_registry()

FORMULAS: dict[str, Callable[[float, float], float]] = {
    "constant": lambda s, final: 1.0,
    "linear-warmup": lambda s, final: 1.0,
    "linear": lambda s, final: 1 - (1 - final) * s,
    "cosine": lambda s, final: final + (1 - final) * (1 + math.cos(math.pi * s)) / 2,
    "exponential": lambda s, final: 1.0 if s == 0 else final**s,
    "polynomial": lambda s, final: final + (1 - final) * (1 - s) ** 2,
    "step": lambda s, final: 1.0 if s < 0.5 else 0.1 if s < 0.75 else 0.01,
    "wsd": lambda s, final: 1.0 if s < 0.8 else 1 - (1 - final) * (s - 0.8) / 0.2,
    "one-cycle": lambda s, final: (
        0.04 + 0.96 * (1 - math.cos(math.pi * s / 0.3)) / 2
        if s < 0.3
        else final + (1 - final) * (1 + math.cos(math.pi * (s - 0.3) / 0.7)) / 2
    ),
}
"""Factor at each fraction of the run after the warm-up."""
OWN_WARMUP = {"linear-warmup": 0.1, "wsd": 0.05}
OWN_FINAL = {"exponential": 0.01}


def factors_of(name: str, updates: int, **given: float) -> list[float]:
    """Return the factors of a run, from the values as a user types them."""
    entrant = make_entrant("sgd", {"schedule": name, **given})
    return list(factors(REGISTRY.schedule(name), entrant.control, updates).tolist())


def expected(name: str, updates: int, warmup: float, final: float) -> list[float]:
    """Return the factors, one update at a time."""
    rising = round(warmup * updates)
    result = []
    for step in range(updates):
        s = (step - rising) / (updates - rising) if step > rising else 0.0
        rise = (step + 1) / rising if step < rising else 1.0
        result.append(rise * FORMULAS[name](s, final))
    return result


@pytest.mark.parametrize("updates", [1, 2, 3])
@pytest.mark.parametrize("name", sorted(REGISTRY.entries("schedules")))
def test_short_runs_follow_the_formula(name: str, updates: int) -> None:
    """With every warm-up and final factor, given or not."""
    for warmup in (None, 0.0, 0.34, 0.5, 0.99):
        for final in (None, 0.0, 0.3, 1.0):
            pairs = (("warmup", warmup), ("final", final))
            given = {key: value for key, value in pairs if value is not None}
            right = expected(
                name,
                updates,
                OWN_WARMUP.get(name, 0.0) if warmup is None else warmup,
                OWN_FINAL.get(name, 0.0) if final is None else final,
            )
            actual = factors_of(name, updates, **given)
            np.testing.assert_allclose(actual, right, rtol=0, atol=1e-12, err_msg=f"{given}")


def test_a_warm_up_of_0_is_no_warm_up() -> None:
    """Although the schedule has one of its own."""
    assert factors_of("linear-warmup", 20) == [0.5] + [1.0] * 19
    assert factors_of("linear-warmup", 20, warmup=0) == [1.0] * 20
    assert factors_of("wsd", 100, warmup=0.0)[:5] == [1.0] * 5


def test_a_final_factor_of_0_is_0() -> None:
    """Although the schedule ends higher: the formula with 0 in it."""
    assert factors_of("exponential", 4)[2] == pytest.approx(0.1)
    assert factors_of("exponential", 4, final=0) == [1.0, 0.0, 0.0, 0.0]


class Ending(Schedule):
    """A jump to the final factor after one half."""

    name = "ending"
    source = "own work"
    variant = "no curve"
    warmup = 0.5
    final = 0.25

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return np.where(s < 0.5, 1.0, final)


def test_a_plugin_declares_what_holds_unless_the_user_says_otherwise() -> None:
    """Both values, given or not."""
    registry = ScopedRegistry()
    registry.register(Plugin())

    def of(text: str) -> list[float]:
        entrant = make_entrant(text, registry=registry)
        return list(factors(registry.schedule("ending"), entrant.control, 4).tolist())

    assert of("sgd[schedule=ending]") == [0.5, 1.0, 1.0, 0.25]
    assert of("sgd[schedule=ending,warmup=0]") == [1.0, 1.0, 0.25, 0.25]
    assert of("sgd[schedule=ending,warmup=0,final=0]") == [1.0, 1.0, 0.0, 0.0]


class Plugin:
    """Has the schedule."""

    @optbench.hookimpl
    def optbench_register_schedules(self) -> list[type[Schedule]]:
        """Return the schedule."""
        return [Ending]


def test_the_spelling_keeps_the_zero() -> None:
    """What a label says can be typed again; a 0 that changes nothing has no second name."""
    text = "sgd[schedule=linear-warmup,warmup=0]"
    entrant = make_entrant(text)
    assert entrant.label == text
    assert make_entrant(entrant.label) == entrant != make_entrant("sgd[schedule=linear-warmup]")
    assert make_entrant("sgd[schedule=cosine,warmup=0,final=0]").label == "sgd[schedule=cosine]"


def test_the_two_are_two_runs_and_old_keys_stay() -> None:
    """The store tells them apart, and a run without the explicit 0 is described as ever."""
    plain, zero = (
        optbench.train(f"sgd[lr=0.1,schedule=linear-warmup{more}]", dataset="iris", epochs=5)
        for more in ("", ",warmup=0")
    )
    assert plain.key != zero.key
    assert plain.curve["train_loss"][-1] != zero.curve["train_loss"][-1]
    constant = optbench.train("sgd[lr=0.1]", dataset="iris", epochs=5)
    np.testing.assert_array_equal(zero.curve["train_loss"], constant.curve["train_loss"])
    assert zero.spec.configuration == "sgd[lr=0.1,schedule=linear-warmup,warmup=0]"
    assert set(msgspec.to_builtins(plain.spec.control)) == {
        "schedule", "warmup", "final", "clip_norm",
    }  # fmt: skip


def test_a_trajectory_takes_the_zero_too() -> None:
    """The same values, the same path."""

    def path(**given: Any) -> Array:
        return optbench.trajectory(
            "sgd", lambda x: (float(x @ x), 2 * x), np.ones(1), steps=20, lr=0.1, **given
        )

    np.testing.assert_array_equal(path(schedule="linear-warmup", warmup=0), path())
    assert not np.array_equal(path(schedule="linear-warmup"), path())


@pytest.mark.parametrize("warmup", [1, 1.5, 100])
def test_a_warm_up_longer_than_the_run_is_refused(warmup: float) -> None:
    """With what the number means, since a user may have updates in mind."""
    with pytest.raises(ConfigError, match=r"warmup=.* not allowed; .*fraction of the run"):
        make_entrant("sgd", {"warmup": warmup})


@pytest.mark.parametrize("name", sorted(REGISTRY.entries("schedules")))
def test_one_update_in_all_is_the_first_update(name: str) -> None:
    """A study of one epoch in full batch trains with the first factor, in both loops."""
    start, end = (
        optbench.train(
            f"sgd[lr=0.5,schedule={name}]", dataset="iris", regime="batch", epochs=epochs, seed=1
        ).curve["train_loss"][-1]
        for epochs in (1, 2)
    )
    factor = factors_of(name, 1)[0]
    rule = optbench.train(
        "sgd", lr=0.5 * factor, dataset="iris", regime="batch", epochs=1, seed=1
    ).curve["train_loss"][-1]
    assert start == pytest.approx(rule, rel=1e-5)
    assert end < start
