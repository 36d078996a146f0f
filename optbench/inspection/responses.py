"""Steps that an optimizer makes of one series of noisy gradients: what it averages, how long.

The series is the same for all optimizers: a gradient of 1, later of -1, with normal noise. The loss
is linear, so the gradient does not depend on the steps. Each coordinate has its own noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optbench.contracts import Array, rate_of
from optbench.errors import ConfigError
from optbench.hyperparameters import complete, parse_spelling, split_control
from optbench.inspection.trajectories import visited_points
from optbench.records import spell
from optbench.registry import default_registry

COORDINATES = 200
"""Coordinates with noise of their own, over which the measurements are averaged."""
MOST_NOISE = 1e6
SETTLED = 0.5
"""Share of the updates before the turn after which the steps are measured."""


@dataclass(frozen=True)
class Series:
    """Noisy gradients, 1 up to the turn and -1 after it.

    Attributes:
        mean: Gradient without noise, shape (updates,).
        gradients: Gradients with noise, shape (updates, COORDINATES).
        turn: Number of updates before the gradient turns.
    """

    mean: Array
    gradients: Array
    turn: int


@dataclass(frozen=True)
class Response:
    """Steps of an optimizer, divided by its learning rate.

    Attributes:
        label: Optimizer in the form ``name[key=value,...]``.
        steps: Steps against the gradient, shape (updates, COORDINATES).
        noise: Ratio of noise to mean of the settled steps, relative to that of the gradients. 1 for
            plain descent; an average of n gradients has about the root of 1 / n.
        delay: Number of updates after the turn until the mean step turns, too. Infinite if it does
            not.
    """

    label: str
    steps: Array
    noise: float
    delay: float


def draw_series(updates: int = 200, noise: float = 1.0, seed: int = 0) -> Series:
    """Draw a series of gradients.

    Args:
        updates: Number of updates, at least 4; the gradient turns after half of them.
        noise: Standard deviation of the noise, from 0 to `MOST_NOISE`.
        seed: Seed of the noise, at least 0.

    Returns:
        The series.

    Raises:
        ConfigError: `updates` or `noise` is out of range.
    """
    if updates < 4:
        raise ConfigError(f"updates={updates} is not allowed; a whole number >= 4")
    if not 0 <= noise <= MOST_NOISE:
        raise ConfigError(f"noise={noise} is not allowed; a number from 0 to {MOST_NOISE:g}")
    turn = updates // 2
    mean = np.where(np.arange(updates) < turn, 1.0, -1.0)
    draws = np.random.default_rng(seed).normal(size=(updates, COORDINATES))
    return Series(mean, mean[:, None] + noise * draws, turn)


def respond(optimizer: str, series: Series) -> Response:
    """Return the steps that an optimizer makes of a series of gradients.

    Args:
        optimizer: Optimizer in the form ``name[key=value,...]``.
        series: The gradients.

    Returns:
        The steps and what they tell. The learning rate is the given one, or else the default; it
        cancels out unless the optimizer depends on it in other ways.

    Raises:
        ConfigError: The optimizer is unknown, or a value is out of range.

    Example:
        >>> series = draw_series(noise=0)
        >>> bool(np.allclose(respond("sgd", series).steps[:, 0], series.mean))
        True
    """
    name, values = parse_spelling(optimizer)
    found = default_registry().optimizer(name)
    own, _ = split_control(found, values)
    declared = rate_of(found)
    rate = 1.0 if declared is None else float(complete(found, own)[declared.name])
    if not rate:
        raise ConfigError(f"{optimizer}: a learning rate of 0 makes no steps")
    given = iter(series.gradients)

    def value_and_grad(x: Array) -> tuple[float, Array]:
        grad = next(given, series.gradients[-1])  # an optimizer may evaluate more than once
        return float(grad @ x), grad

    start = np.zeros(COORDINATES)
    with np.errstate(all="ignore"):
        points = visited_points(found, values, value_and_grad, start, len(series.mean))
        steps = -np.diff(points, axis=0) / rate
        noise, delay = _noise(steps, series), _delay(steps, series.turn)
    return Response(spell(name, values), steps, noise, delay)


def _noise(steps: Array, series: Series) -> float:
    settled = slice(int(SETTLED * series.turn), series.turn)
    ratios = [
        float(values[settled].std(axis=1).mean() / abs(values[settled].mean()))
        for values in (steps, series.gradients)
    ]
    return ratios[0] / ratios[1] if ratios[1] else math.nan


def _delay(steps: Array, turn: int) -> float:
    turned = np.flatnonzero(steps[turn:].mean(axis=1) < 0)
    return float(turned[0] + 1) if len(turned) else math.inf
