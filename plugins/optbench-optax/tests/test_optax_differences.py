"""Reports of the class "under its own name, but with other numbers": the adapter against optax.

Seen with Rprop, whose state starts from the learning rate, and with learning rates that
`optax.inject_hyperparams` keeps inside of a transformation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest
from optbench_optax.adapter import adapt, adapt_function
from optbench_optax.names import KNOWN

import optbench
from optbench import Array, Stepper, Values
from tests.support.differences import (
    CASES,
    CONTROLS,
    SEED,
    START,
    STEPS,
    adapted_path,
    assert_same_path,
    check_linear_end,
    loss_and_grads,
    rate_factors,
)

DTYPES = ("float64", "float32")
FIXED_RATE = {"rprop"}
"""Optimizers that use the learning rate at the first step only."""
WITHOUT_SCHEDULES = {"polyak_sgd", "sm3"}
"""Optimizers that optax itself cannot give a schedule."""
INJECTED = {"contrib.schedule_free_adamw", "contrib.schedule_free_sgd"}
"""Optimizers that read a schedule twice in one step, once for this step and once for the next.

They are compared with optax's own injection, which gives both the rate of this step.
"""
CHAOTIC = {"polyak_sgd": 20}
"""Steps until rounding has grown to the size of the parameters."""


def bare_path(cls: Any, h: Values, dtype: str, control: str, steps: int = STEPS) -> Array:
    """Return the parameters after each step of optax itself, with a schedule of optax's kind."""
    given = cls._arguments.bind(h)
    if "rng" in cls.needs:
        given["key"] = int(np.random.default_rng(SEED).integers(2**31))
    rates = h.get("lr", 0.0) * rate_factors(control)
    if cls._lr_name and control != "constant":
        given[cls._lr_name] = lambda t: jnp.asarray(rates, dtype)[jnp.minimum(t, STEPS - 1)]
    elif cls._lr_name:
        given[cls._lr_name] = h.lr
    factory = cls._wrapped
    if cls.name.removeprefix("optax:") in INJECTED:
        static = tuple(set(given) - {cls._lr_name})
        factory = optax.inject_hyperparams(factory, static_args=static)
    return transformed_path(lambda: factory(**given), dtype, steps)


def transformed_path(make: Callable[[], Any], dtype: str, steps: int = STEPS) -> Array:
    """Return the parameters after each step of a transformation."""
    with jax.enable_x64(dtype == "float64"):
        transformation = optax.with_extra_args_support(make())
        params = [jnp.asarray(x, dtype) for x in START]
        state = transformation.init(params)

        @jax.jit
        def update(grads: Any, state: Any, params: Any, loss: Any) -> Any:
            updates, state = transformation.update(
                grads, state, params, value=loss, grad=grads, value_fn=None
            )
            return optax.apply_updates(params, updates), state

        path = []
        for _ in range(steps):
            loss, grads = loss_and_grads([np.asarray(p) for p in params])
            arrays = [jnp.asarray(g, dtype) for g in grads]
            params, state = update(arrays, state, params, jnp.asarray(loss, dtype))
            path.append(np.concatenate([np.asarray(p).ravel() for p in params]))
    return np.array(path)


@pytest.mark.parametrize(("dtype", "control"), CASES)
@pytest.mark.parametrize("name", sorted(KNOWN.keys() - {"lbfgs"}))
def test_every_function_of_optax_gives_its_own_numbers(name: str, dtype: str, control: str) -> None:
    """Over 200 steps, with a constant rate and a schedule. L-BFGS has a test with its closure."""
    cls = adapt(f"optax:{name}")
    if control != "constant" and name in FIXED_RATE:
        with pytest.raises(optbench.PluginError, match="a schedule would change nothing"):
            adapted_path(cls, dtype, control)
        return
    steps = CHAOTIC.get(name, STEPS)
    ours, h = adapted_path(cls, dtype, control, steps)
    if control == "constant" or name not in WITHOUT_SCHEDULES:
        assert_same_path(ours, bare_path(cls, h, dtype, control, steps), dtype)


def injected(learning_rate: float = 0.02, b1: float = 0.8) -> Any:
    """Adam whose hyperparameters are in its state, as for a schedule of the user's own."""
    inner = optax.inject_hyperparams(optax.adam)(learning_rate=learning_rate, b1=b1)
    return optax.chain(optax.clip(10.0), inner)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_hyperparameters_that_optax_injects_follow_the_schedule(dtype: str, control: str) -> None:
    """They are Adam's own numbers, with a constant rate and with a schedule."""
    cls, _ = adapt_function(injected, {})
    ours, _ = adapted_path(cls, dtype, control)
    rates = 0.02 * rate_factors(control)

    def make() -> Any:
        return optax.adam(lambda t: jnp.asarray(rates, dtype)[jnp.minimum(t, STEPS - 1)], b1=0.8)

    assert_same_path(ours, transformed_path(make, dtype), dtype)


def test_a_state_that_starts_from_the_rate_starts_from_this_rate() -> None:
    """The first step of optax's Rprop moves nothing, the second by the learning rate, not by 1."""
    cls: type[Stepper] = adapt("optax:rprop")
    ours, _ = adapted_path(cls, "float64", "constant", 2, lr=0.01)
    np.testing.assert_allclose(np.abs(ours[1] - ours[0]), 0.01)


def test_a_line_search_ends_with_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of gradients varies from update to update; the rate still falls to its end."""
    check_linear_end(adapt("optax:lbfgs"), monkeypatch)
