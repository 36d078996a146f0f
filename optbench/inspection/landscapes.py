"""Paths of optimizers over landscapes, each with a suitable learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optbench.contracts import Array, Landscape, Optimizer, Value, Values, rate_of
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.hyperparameters import check_values, complete, parse_spelling, split_control
from optbench.inspection.trajectories import visited_points
from optbench.inspection.tried_rates import tried_rates
from optbench.records import changed, spell
from optbench.registry import default_registry
from optbench.schedules import keep_zeros

RATES = 25
"""Number of learning rates tried if none is given."""


@dataclass(frozen=True)
class Ground:
    """A landscape with the values of its hyperparameters.

    Attributes:
        label: Landscape in the form ``name[key=value,...]``.
        landscape: The function.
        h: Values of its hyperparameters.
    """

    label: str
    landscape: Landscape
    h: Values

    def values(self, points: Array) -> Array:
        """Return the values at points of shape (..., 2)."""
        at = np.asarray(points, dtype=float)
        with np.errstate(all="ignore"):
            return self._numbers(lambda: self.landscape.value(at, self.h), at.shape[:-1], "value")

    def grad(self, point: Array, rng: np.random.Generator) -> Array:
        """Return the gradient at a point of shape (2,), from one draw of its noise."""
        return self._numbers(lambda: self.landscape.grad(point, self.h, rng), (2,), "grad")

    def batch_grad(self, point: Array, rng: np.random.Generator, batch_size: int) -> Array:
        """Return the mean of `batch_size` draws of the gradient at a point of shape (2,)."""
        draws = [self.grad(point, rng) for _ in range(batch_size)]
        return np.asarray(np.mean(draws, axis=0))

    @property
    def is_noisy(self) -> bool:
        """Whether two draws of the gradient at the start differ."""
        start = np.array(self.landscape.start, dtype=float)
        first, second = (self.grad(start, np.random.default_rng(seed)) for seed in (0, 1))
        return not np.array_equal(first, second)

    def _numbers(self, make: Callable[[], Any], shape: tuple[int, ...], what: str) -> Array:
        """Call `make`, a function of the landscape, and return its result as float64.

        Raises:
            PluginError: If it raises, or does not return numbers of the expected shape.
        """
        where = f"landscape '{type(self.landscape).name}': {what}"
        try:
            found = np.asarray(make())
        except OptbenchError:
            raise
        except Exception as cause:
            text = describe_error(cause, type(self.landscape))
            raise PluginError(f"{where}: {text}") from cause
        if found.shape != shape or found.dtype.kind not in "fiub":
            raise PluginError(
                f"{where} returned {found.dtype} of shape {found.shape}, not numbers of {shape}"
            )
        return found.astype(float, copy=False)

    @property
    def floor(self) -> float:
        """Value at the lowest known minimum; NaN if the landscape declares no minima."""
        minima = self.landscape.minima
        return float(min(self.values(np.array(minima)))) if minima else math.nan


@dataclass(frozen=True)
class Path:
    """Path of an optimizer over a landscape.

    Attributes:
        label: Optimizer with the given hyperparameter values and the chosen learning rate.
        points: Visited points, shape (steps + 1, 2).
        values: Noise-free values at the points, shape (steps + 1,).
    """

    label: str
    points: Array
    values: Array


def find_ground(text: str) -> Ground:
    """Return the landscape given as ``name[key=value,...]``.

    Raises:
        ConfigError: If the name is unknown, or a value is out of range.
    """
    name, given = parse_spelling(text)
    found = default_registry().landscape(name)
    checked = check_values(found, given)
    return Ground(spell(name, checked), found(), Values(complete(found, checked)))


def follow(
    optimizer: str,
    ground: Ground,
    steps: int = 100,
    start: Sequence[float] | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Path:
    """Run an optimizer on a landscape.

    If no learning rate is given, `RATES` values over the declared search range and beyond are
    tried. The one with the lowest median value over the last quarter of its path is chosen.

    Args:
        optimizer: Optimizer in the form ``name[key=value,...]``.
        ground: The landscape.
        steps: Number of updates, at least 1.
        start: Starting point, shape (2,). Defaults to the start of the landscape.
        seed: Seed of the noise in the gradients, which is the same for all optimizers.
        batch_size: Draws of a noisy gradient whose mean is used for a step, at least 1. If None,
            one draw, and the label of the path does not name it.

    Returns:
        The path.

    Raises:
        ConfigError: If the optimizer is unknown, a value is out of range, or a batch size is given
            for a landscape without noise.
    """
    if steps < 1:
        raise ConfigError(f"steps={steps} is not allowed; a whole number >= 1")
    if batch_size is not None:
        _check_batch_size(batch_size, ground)
    name, values = parse_spelling(optimizer)
    found = default_registry().optimizer(name)
    given, control = split_control(found, values)
    schedule = default_registry().schedule(control.schedule)
    control = keep_zeros(control, schedule, values.keys() - given)
    begin = np.array(ground.landscape.start if start is None else start, dtype=float)
    rates: list[dict[str, float]] = [{}]
    declared = rate_of(found)
    if declared is not None and declared.name not in given and declared.search is not None:
        tried = tried_rates(declared, given, RATES)
        rates = [{declared.name: float(f"{rate:.2g}")} for rate in tried]
    paths = []
    for rate in rates:
        values = {**given, **rate, **changed(control)}
        points = _walk(found, values, ground, steps, begin, seed, batch_size or 1)
        label = spell(name, values) + (f", batch {batch_size}" if batch_size else "")
        paths.append(Path(label, points, ground.values(points)))
    return min(paths, key=_end)


def _check_batch_size(batch_size: int, ground: Ground) -> None:
    if batch_size < 1:
        raise ConfigError(f"batch_size={batch_size} is not allowed; a whole number >= 1")
    if not ground.is_noisy:
        raise ConfigError(
            f"batch_size={batch_size} changes nothing on {ground.label}: its gradient has no noise"
        )


def _end(path: Path) -> float:
    """Return the median value over the last quarter of a path; infinite if any is not finite."""
    last = path.values[-max(len(path.values) // 4, 1) :]
    return float(np.median(last)) if np.isfinite(last).all() else math.inf


def _walk(
    optimizer: Optimizer,
    hyper: Mapping[str, Value],
    ground: Ground,
    steps: int,
    begin: Array,
    seed: int,
    batch_size: int,
) -> Array:
    rng = np.random.default_rng(seed)

    def value_and_grad(x: Array) -> tuple[float, Array]:
        return float(ground.values(x)), ground.batch_grad(x, rng, batch_size)

    with np.errstate(all="ignore"):
        return visited_points(optimizer, hyper, value_and_grad, begin, steps)
