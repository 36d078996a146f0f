"""The lines of code that optimizers give for other libraries, run in these libraries."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import optbench
from optbench.hyperparameters import complete
from optbench.registry import default_registry
from optbench.study.best_values import code_lines
from tests.support.packages import need

STEPS = 30
START = np.linspace(-1, 2, 12).reshape(4, 3)
CURVATURE = np.linspace(0.2, 1, 12).reshape(4, 3)


def names_with(library: str) -> list[str]:
    """Return the optimizers that have a line for a library."""
    entries = default_registry().entries("optimizers")
    return [name for name, entry in entries.items() if library in entry.item.equivalents]


def line_of(name: str, library: str) -> tuple[str, dict[str, Any]]:
    """Return the line of an optimizer with values that are not its defaults, and the values."""
    optimizer = default_registry().optimizer(name)
    other = {
        key: 0.9 * float(declared.default)
        for key, declared in optimizer.hypers().items()
        if declared.kind is float
    }
    values = complete(optimizer, other)
    return code_lines(optimizer, values)[library], values


@pytest.mark.parametrize("name", names_with("torch"))
def test_the_line_for_pytorch_takes_the_same_path(name: str) -> None:
    """With values that are not the defaults."""
    torch = need("torch")
    line, values = line_of(name, "torch")
    theta = torch.nn.Parameter(torch.tensor(START))
    optimizer = eval(line, {"torch": torch, "params": [theta]})
    for _ in range(STEPS):
        theta.grad = torch.tensor(CURVATURE) * theta.detach()
        optimizer.step()
    np.testing.assert_allclose(theta.detach().numpy(), path_end(name, values), rtol=1e-9)


@pytest.mark.parametrize("name", names_with("optax"))
def test_the_line_for_optax_takes_the_same_path(name: str) -> None:
    """With values that are not the defaults."""
    optax, jax = need("optax"), need("jax")
    line, values = line_of(name, "optax")
    with jax.enable_x64(True):
        theta = jax.numpy.asarray(START)
        optimizer = eval(line, {"optax": optax})
        state = optimizer.init(theta)
        for _ in range(STEPS):
            updates, state = optimizer.update(CURVATURE * theta, state, theta)
            theta = optax.apply_updates(theta, updates)
        end = np.asarray(theta)
    np.testing.assert_allclose(end, path_end(name, values), rtol=1e-9)


@pytest.mark.parametrize("name", names_with("keras"))
def test_the_line_for_keras_is_python(name: str) -> None:
    """Keras itself is not a dependency of the tests; the line has each value once."""
    line, values = line_of(name, "keras")
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    numbers = [ast.literal_eval(arg) for arg in (*call.args, *(k.value for k in call.keywords))]
    floats = [value for value in values.values() if isinstance(value, float)]
    assert sorted(n for n in numbers if not isinstance(n, bool)) == sorted(floats)


def path_end(name: str, values: dict[str, Any]) -> Any:
    """Return the point after the last step of optbench's own formula."""
    path = optbench.trajectory(
        name,
        lambda x: (float((CURVATURE * x * x).sum() / 2), CURVATURE * x),
        START,
        STEPS,
        **values,
    )
    return path[-1]
