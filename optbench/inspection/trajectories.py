"""Any registered optimizer on any function: what the oracle tests and the landscapes use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from optbench.contracts import Array, Optimizer, Value
from optbench.engine.loops.updates import Updater
from optbench.errors import ConfigError
from optbench.hyperparameters import complete, parse_spelling, split_control
from optbench.registry import default_registry
from optbench.registry.scoped import OptimizerLike, optimizer_class

ValueAndGrad = Callable[[Array], tuple[float, Array]]


def trajectory(
    optimizer: OptimizerLike,
    value_and_grad: ValueAndGrad,
    x0: Array,
    steps: int,
    **hyper: Any,
) -> Array:
    """Run an optimizer on a function and return every point it visits.

    Args:
        optimizer: name of an optimizer, values in brackets allowed; or a Rule or Stepper class,
            or, where its adapter is installed, an optimizer class or function of another library.
        value_and_grad: maps x to the value and the gradient there; stochastic functions may give
            another gradient at each call.
        x0: starting point, any shape, float32 or float64; not changed.
        steps: number of updates, at least 0.
        **hyper: hyperparameters, and ``schedule``, ``warmup``, ``final``, ``clip_norm``.

    Returns:
        Shape (steps + 1, *x0.shape), dtype of x0; for schedule-free methods the points at which
        they are evaluated.

    Raises:
        ConfigError: an unknown optimizer, a hyperparameter out of range, negative steps.

    Example:
        >>> path = trajectory("sgd", lambda x: (x @ x, 2 * x), np.ones(2), 3, lr=0.25)
        >>> path[:, 0].tolist()
        [1.0, 0.5, 0.25, 0.125]
    """
    if isinstance(optimizer, str):
        name, values = parse_spelling(optimizer)
        cls = default_registry().optimizer(name)
    else:
        cls, values = optimizer_class(optimizer)
    return visited_points(cls, {**values, **hyper}, value_and_grad, x0, steps)


def visited_points(
    optimizer: Optimizer,
    hyper: Mapping[str, Value],
    value_and_grad: ValueAndGrad,
    x0: Array,
    steps: int,
) -> Array:
    """Return every point that an optimizer visits, as `trajectory` does.

    Args:
        optimizer: Rule or Stepper class.
        hyper: hyperparameters, and ``schedule``, ``warmup``, ``final``, ``clip_norm``.
        value_and_grad: as for `trajectory`.
        x0: starting point.
        steps: number of updates, at least 0.

    Raises:
        ConfigError: a hyperparameter out of range, negative steps.
    """
    if steps < 0:
        raise ConfigError(f"steps={steps} is not allowed; a whole number >= 0")
    own, control = split_control(optimizer, hyper)
    schedule = default_registry().schedule(control.schedule)
    x = np.array(x0, dtype=np.result_type(x0, np.float32))
    points = np.empty((steps + 1, *x.shape), dtype=x.dtype)
    rng = np.random.default_rng(0)
    values = complete(optimizer, own)
    updater = Updater(optimizer, values, [x], max(steps, 1), control, rng, schedule=schedule)
    points[0] = updater.eval_params()[0]
    grad = np.empty_like(x)

    def evaluate() -> float:
        value, new = value_and_grad(updater.params[0].copy())
        grad[...] = new
        return float(value)

    for step in range(1, steps + 1):
        updater.step([grad], evaluate(), evaluate)
        points[step] = updater.eval_params()[0]
    return points
