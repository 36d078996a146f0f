"""Benchmarks of training: how its cost grows. Measure with

    pytest tests/benchmarks -n 0 --benchmark-enable --benchmark-only

Without these options each benchmark runs once, as a test that it works.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from optbench import Array
from optbench.engine.fusion.machine_code import compiled_rule
from optbench.engine.kernels.jit import jit
from optbench.engine.loops.choice import choose_loop, make_loop
from optbench.engine.problem import Problem, build_problem
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of

RULES = {
    name: entry.item
    for name, entry in default_registry().entries("optimizers").items()
    if choose_loop(entry.item)[0] == "compiled"
}
N_PARAMS = 3466
"""Number of parameters of a 64-32-32-10 network."""
ONE = np.ones(1, np.float32)
"""Factor of the gradient."""


def problem_of(optimizer: str = "adam", **workload: Any) -> Problem:
    spec = spec_of(optimizer, **{"dataset": "digits", "epochs": 2, **workload})
    return build_problem(spec, default_registry())


def train(problem: Problem, loop: str = "compiled") -> int:
    trainer = make_loop(problem, loop)
    trainer.advance(problem.n_train * problem.spec.epochs)
    return trainer.updates


@pytest.mark.parametrize("regime", ["batch", "mini-batch", "sgd"])
@pytest.mark.parametrize("loop", ["compiled", "reference"])
def test_loops(benchmark: Any, loop: Any, regime: str) -> None:
    """Two epochs of digits in the compiled loop and in the NumPy reference."""
    assert benchmark(train, problem_of(regime=regime), loop) > 0


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_depth(benchmark: Any, depth: Any) -> None:
    """Cost against the number of hidden layers of 32."""
    assert benchmark(train, problem_of(hidden=(32,) * depth)) > 0


@pytest.mark.parametrize("width", [8, 16, 32, 64, 128, 256])
def test_width(benchmark: Any, width: Any) -> None:
    """Cost against the width of two hidden layers."""
    assert benchmark(train, problem_of(hidden=(width, width))) > 0


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "leaky-relu", "gelu", "linear"])
def test_activations(benchmark: Any, activation: str) -> None:
    """Cost against the hidden activation."""
    assert benchmark(train, problem_of(activation=activation)) > 0


@pytest.mark.parametrize("runs", [1, 2, 4, 16])
def test_runs(benchmark: Any, runs: Any) -> None:
    """Cost against the number of runs, on two threads."""
    problems = [problem_of(seed=seed) for seed in range(runs)]
    with ThreadPoolExecutor(2) as pool:
        assert benchmark(lambda: sum(pool.map(train, problems))) > 0


@jit
def _repeat(
    update: Any,
    one: Array,
    theta: Array,
    grad: Array,
    slots: Any,
    scalars: Any,
    h: Array,
    times: Any,
) -> None:
    for t in range(times):
        update(theta, grad, slots, scalars, h, t + 1, 0, 1, theta.size, one, 0, True)


@jit
def _adam_by_hand(
    theta: Array, grad: Array, slots: Any, scalars: Any, h: Array, times: Any
) -> None:
    """Adam written by hand in float32, for comparison with the fused loop."""
    m, v = slots[0], slots[1]
    b1, b2 = np.float32(h[1]), np.float32(h[2])
    c1, c2 = np.float32(1 - h[1]), np.float32(1 - h[2])
    for t in range(1, times + 1):
        rate = np.float32(h[0] / (1 - h[1] ** float(t)))
        debias, eps = np.float32(1 / (1 - h[2] ** float(t))), np.float32(h[3])
        for i in range(theta.size):
            g = grad[i]
            m[i] = b1 * m[i] + c1 * g
            v[i] = b2 * v[i] + c2 * g * g
            theta[i] -= rate * m[i] / (np.sqrt(v[i] * debias) + eps)


def _state(rule: Any) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    theta, grad = rng.normal(size=(2, N_PARAMS)).astype(np.float32)
    slots = np.zeros((len(rule.slots), N_PARAMS), np.float32)
    scalars = np.array(list(rule.scalars.values()), np.float64)
    h = np.array([float(d.default) for d in rule.hypers().values()])
    return theta.copy(), grad.copy(), slots, scalars, h


@pytest.mark.parametrize("name", sorted(RULES))
def test_rules(benchmark: Any, name: str) -> None:
    """100 updates of each Rule on 3,466 parameters in float32: cost against slots."""
    rule = RULES[name]
    state = _state(rule)
    benchmark(_repeat, compiled_rule(rule, "float32"), ONE, *state, 100)
    assert np.isfinite(state[0]).all()


def test_adam_by_hand(benchmark: Any) -> None:
    """The same 100 updates of Adam written by hand; the fused loop gives the same numbers."""
    state, fused = _state(RULES["adam"]), _state(RULES["adam"])
    benchmark.pedantic(_adam_by_hand, (*state, 100), rounds=20, warmup_rounds=1)
    for _ in range(21 if benchmark.enabled else 1):
        _repeat(compiled_rule(RULES["adam"], "float32"), ONE, *fused, 100)
    np.testing.assert_allclose(state[0], fused[0], rtol=1e-3, atol=1e-3)
