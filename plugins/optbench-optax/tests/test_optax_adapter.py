"""Promises of the optax adapter: the same numbers, compiled once, and a reason for refusals."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optbench_optax import optbench_list_optimizers
from optbench_optax.adapter import _program, adapt

import optbench
from optbench import ConfigError
from optbench.registry.scoped import ScopedRegistry
from tests.support.adapters import Adapter, AdapterPromises, check_refusal, curve_difference


class TestAdapter(AdapterPromises):
    """Promises of every adapter."""

    adapter = Adapter(
        distribution="optbench-optax",
        prefix="optax:",
        adapt=adapt,
        listed=optbench_list_optimizers(),
        libraries=("jax", "optax"),
        version=optax.__version__,
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("optax:adam", "adam"),
        ("optax:adam[schedule=cosine,warmup=0.2]", "adam[schedule=cosine,warmup=0.2]"),
        ("optax:adamw[weight_decay=0.1]", "adamw[weight_decay=0.1]"),
        ("optax:sgd[lr=0.1,clip_norm=0.1]", "sgd[lr=0.1,clip_norm=0.1]"),
        ("optax:lion", "lion[lr=0.0001,weight_decay=0.001]"),
        ("optax:contrib.schedule_free_adamw[lr=0.01]", "schedule-free-adamw[lr=0.01]"),
    ],
)
def test_optax_and_the_formula_give_the_same_curve(theirs: str, ours: str) -> None:
    """The same method, run by optax and by optbench, trains the same network."""
    assert curve_difference(theirs, ours) < 1e-10


def test_line_search_evaluates_through_the_harness_and_pays_for_it() -> None:
    """value and value_fn are what optax gives them to be, and each evaluation is counted."""

    def rosenbrock(x: Any) -> Any:
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    start = np.array([-1.0, 1.5])
    with jax.enable_x64(True):
        gradient = jax.jit(jax.value_and_grad(rosenbrock))
        tx = optax.lbfgs(1.0)
        x, state = jnp.asarray(start), tx.init(jnp.asarray(start))
        path = [np.asarray(x)]
        for _ in range(15):
            value, grad = gradient(x)
            updates, state = tx.update(grad, state, x, value=value, grad=grad, value_fn=rosenbrock)
            x = optax.apply_updates(x, updates)
            path.append(np.asarray(x))
        calls = 0

        def counted(point: Any) -> tuple[float, Any]:
            nonlocal calls
            calls += 1
            with jax.enable_x64(True):
                value, grad = gradient(point)
                return float(value), np.asarray(grad)

        ours = optbench.trajectory("optax:lbfgs", counted, start, 15)
    np.testing.assert_allclose(ours, path, rtol=1e-6)
    assert calls > 15


def test_the_closure_counts_as_gradient_evaluations_of_a_run() -> None:
    """A run with a line search costs more gradients than it has updates."""
    result = optbench.train("optax:lbfgs", dataset="iris", regime="batch", epochs=12)
    assert result.status == "ok"
    assert result.grad_evals > result.curve["updates"][-1]


def test_one_program_serves_all_learning_rates_and_seeds() -> None:
    """Tuning the learning rate compiles nothing again."""
    adapt("optax:adamax")  # which traces it once, to see what it uses
    _program.cache_clear()
    for lr, seed in ((0.1, 0), (0.01, 1), (0.02, 2)):
        optbench.train(
            f"optax:adamax[lr={lr},schedule=linear]", dataset="iris", epochs=1, seed=seed
        )
    assert _program.cache_info().misses == 1


def test_a_transformation_that_needs_the_loss_is_told_it() -> None:
    """Polyak's step size is (loss - f_min) / |grad|^2, which takes the loss."""
    path = optbench.trajectory(
        "optax:polyak_sgd[lr=10]", lambda x: (float(x @ x), 2 * x), np.ones(2), 1
    )
    np.testing.assert_allclose(path[1], 1 - 2 / 8 * 2)


def test_any_function_that_returns_a_transformation_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A transformation of one's own is named by module and function."""

    def chained(learning_rate: float = 0.1, limit: float = 0.5) -> Any:
        return optax.chain(optax.clip(limit), optax.sgd(learning_rate))

    module = types.ModuleType("own_transformations")
    chained.__module__ = module.__name__
    vars(module)["chained"] = chained
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path = optbench.trajectory(
        "optax:own_transformations:chained[lr=0.2]", lambda x: (0.0, 5 * x), np.ones(1), 1
    )
    np.testing.assert_allclose(path[1], 1 - 0.2 * 0.5)


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("optax:adan_", optbench.ConfigError, "did you mean 'optax:adan'"),
        ("optax:contrib.moun", optbench.ConfigError, "did you mean 'optax:contrib.muon'"),
        ("optax:contrib.sophia", optbench.PluginError, "differentiates the loss twice"),
        ("optax:lookahead", optbench.PluginError, "wrapper around another"),
        ("optax:no_such_package:f", optbench.ConfigError, "'no_such_package' .*PYTHONPATH"),
        ("optax:math:cso", optbench.ConfigError, "did you mean 'cos'"),
        ("optax:optax:clip", optbench.PluginError, "without a default: max_delta"),
        (
            "optax:planted:branch",
            optbench.PluginError,
            r"one True or False is needed; use jnp.where .*test_optax_adapter.py:\d+\)",
        ),
        ("optax:planted:number", optbench.PluginError, "does not return a gradient transformation"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(
    name: str, error: type[Exception], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal says in one line why."""
    module = types.ModuleType("planted")
    vars(module)["number"] = lambda learning_rate=0.1: 3
    vars(module)["branch"] = branch
    monkeypatch.setitem(sys.modules, "planted", module)
    check_refusal(adapt, name, error, reason)


def branch(learning_rate: float = 0.1) -> Any:
    """A transformation with an `if` on an array."""

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        return jax.tree.map(lambda g: -learning_rate * g if g > 0 else g, updates), state

    return optax.GradientTransformation(lambda params: (), update)


def own_descent(learning_rate: float = 0.1) -> Any:
    """A function of this module, as a user's notebook has one."""
    return optax.sgd(learning_rate)


def test_functions_stand_for_their_names() -> None:
    """Of optax, of another module, and of a function, with arguments fixed by a partial."""

    def local(learning_rate: float = 0.1) -> Any:
        return optax.sgd(learning_rate)

    fix: Any = functools.partial
    scope = ScopedRegistry()
    assert scope.optimizer_text(optax.adam) == "optax:adam"
    assert scope.optimizer_text(optax.contrib.muon) == "optax:contrib.muon"
    fixed = scope.optimizer_text(fix(optax.adam, learning_rate=0.1, b1=0.8))
    assert fixed == "optax:adam[lr=0.1,b1=0.8]"
    assert scope.optimizer_text(own_descent) == f"optax:{__name__}:own_descent"
    assert scope.optimizer_text(local) == "optax:local"
    assert [each.item for each in scope.passed if each.item is local] == [local]
    with pytest.raises(ConfigError, match="the argument mask is not a hyperparameter"):
        scope.optimizer_text(fix(optax.adamw, mask=len))


def test_a_function_trains_like_its_name() -> None:
    """The same run, under the same key."""
    by_name = optbench.train("optax:adam[lr=0.01]", dataset="iris", epochs=1)
    by_function = optbench.train(optax.adam, dataset="iris", epochs=1, lr=0.01)
    assert by_function.spec.key == by_name.spec.key
    assert by_function.params_hash == by_name.params_hash
