"""What the adapter costs.

``pytest --benchmark-enable plugins/optbench-optax/tests/test_optax_benchmarks.py``.

Each pair is optax's own step, jitted, on arrays that stay with JAX, and the same step through the
adapter on the buffers of the harness, for a 64-32-32-10 network in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import optax
import pytest
from optbench_optax.adapter import adapt

from tests.support.adapters import adapted_step, buffers


def alone(name: str) -> Callable[[], Any]:
    """optax's step, with nothing of optbench around it."""
    tx = getattr(optax, name)(1e-3)
    params, grads = (jax.device_put(buffers(seed)) for seed in (0, 1))

    @jax.jit
    def update(params: Any, state: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    now = [(params, tx.init(params))]

    def step() -> None:
        now[0] = jax.block_until_ready(update(*now[0]))  # type: ignore[no-untyped-call]

    return step


@pytest.mark.parametrize("how", ["alone", "adapted"])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_step(benchmark: Any, name: str, how: str) -> None:
    """The cost of a step, with and without the adapter."""
    step = alone(name) if how == "alone" else adapted_step(adapt(f"optax:{name}"))
    benchmark.pedantic(step, rounds=200, iterations=5, warmup_rounds=10)
