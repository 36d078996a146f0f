"""What the adapter costs.

``pytest --benchmark-enable plugins/optbench-optax/tests/test_optax_benchmarks.py``.

Each pair is optax's own step, jitted, on arrays that stay with JAX, and the same step through the
adapter on the buffers of the harness, for a 64-32-32-10 network in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import optax
import pytest
from optbench_optax.adapter import adapt

from optbench import StepContext, Values

SIZES = (64, 32, 32, 10)


def arrays(seed: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [s for a, b in pairwise(SIZES) for s in ((a, b), (b,))]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def alone(name: str) -> Callable[[], Any]:
    """optax's step, with nothing of optbench around it."""
    tx = getattr(optax, name)(1e-3)
    params, grads = (jax.device_put(arrays(seed)) for seed in (0, 1))

    @jax.jit
    def update(params: Any, state: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    now = [(params, tx.init(params))]

    def step() -> None:
        now[0] = jax.block_until_ready(update(*now[0]))

    return step


def adapted(name: str) -> Callable[[], Any]:
    """The same step through the adapter."""
    cls = adapt(f"optax:{name}")
    stepper, params, grads = cls(), arrays(0), arrays(1)
    h = Values({key: declared.default for key, declared in cls.hypers().items()})
    context = StepContext(0, h, cls.needs)
    state = stepper.init(params, context)
    return lambda: stepper.step(params, grads, state, context)


@pytest.mark.parametrize("how", ["alone", "adapted"])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_step(benchmark: Any, name: str, how: str) -> None:
    """The cost of a step, with and without the adapter."""
    step = alone(name) if how == "alone" else adapted(name)
    benchmark.pedantic(step, rounds=200, iterations=5, warmup_rounds=10)
