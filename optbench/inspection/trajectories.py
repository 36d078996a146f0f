"""Trajectories of optimizers on arbitrary functions, for landscapes and oracle tests."""

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
from optbench.schedules import keep_zeros

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
        optimizer: Name of an optimizer, optionally with values in brackets; or a Rule or Stepper
            class; or an optimizer class or function of another library with an installed adapter.
        value_and_grad: Function that maps x to its value and gradient. It may be stochastic.
        x0: Starting point, any shape, float32 or float64; not modified.
        steps: Number of updates, at least 0.
        **hyper: Hyperparameters, and ``schedule``, ``warmup``, ``final``, ``clip_norm``.

    Returns:
        Visited points, shape ``(steps + 1, *x0.shape)``, dtype of x0. For schedule-free methods,
        these are the evaluation points.

    Raises:
        ConfigError: If the optimizer is unknown, a hyperparameter is out of range, or `steps` is
            negative.

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
    """Run an optimizer class on a function and return every point it visits.

    Args:
        optimizer: Rule or Stepper class.
        hyper: Hyperparameters, and ``schedule``, ``warmup``, ``final``, ``clip_norm``.
        value_and_grad: As for `trajectory`.
        x0: Starting point.
        steps: Number of updates, at least 0.

    Returns:
        Visited points, as for `trajectory`.

    Raises:
        ConfigError: If a hyperparameter is out of range, or `steps` is negative.
    """
    if steps < 0:
        raise ConfigError(f"steps={steps} is not allowed; a whole number >= 0")
    own, control = split_control(optimizer, hyper)
    schedule = default_registry().schedule(control.schedule)
    control = keep_zeros(control, schedule, hyper.keys() - own)
    start = np.asarray(x0)
    x = np.array(start, dtype=np.result_type(start, np.float32))
    points = np.empty((steps + 1, *x.shape), dtype=x.dtype)
    rng = np.random.default_rng(0)
    values = complete(optimizer, own)
    updater = Updater(optimizer, values, [x], max(steps, 1), control, rng, schedule=schedule)
    points[0] = updater.eval_params()[0]
    grad = np.empty_like(x)

    def evaluate() -> float:
        value, new = _pair(value_and_grad(updater.params[0].copy()))
        grad[...] = new
        return float(value)

    for step in range(1, steps + 1):
        updater.step([grad], evaluate(), evaluate)
        points[step] = updater.eval_params()[0]
    return points


def _pair(returned: Any) -> tuple[Any, Any]:
    """Return value and gradient as a function returned them.

    Raises:
        ConfigError: It did not return both.
    """
    if isinstance(returned, tuple | list) and len(returned) == 2:
        return returned[0], returned[1]
    raise ConfigError(
        "the function does not return its value and its gradient; write as in "
        "`lambda x: (x @ x, 2 * x)`"
    )
