"""Optimizers followed over a landscape, with the learning rate that suits each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optbench.contracts import Array, Landscape, Optimizer, Value, Values
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.hyperparameters import check_values, complete, parse_spelling, split_control
from optbench.inspection.trajectories import visited_points
from optbench.records import changed, spell
from optbench.registry import default_registry

RATES, BEYOND = 25, 10.0
"""Learning rates that are tried when none is given, over the optimizer's own search range and up
to so many times its end: the range is meant for networks, whose weights move less far."""


@dataclass(frozen=True)
class Ground:
    """A landscape with the values of its hyperparameters.

    Attributes:
        label: as the command line spells it.
        landscape: the function.
        h: values of its hyperparameters.
    """

    label: str
    landscape: Landscape
    h: Values

    def values(self, points: Array) -> Array:
        """The function at points of shape (..., 2)."""
        at = np.asarray(points, dtype=float)
        with np.errstate(all="ignore"):
            return self._numbers(lambda: self.landscape.value(at, self.h), at.shape[:-1], "value")

    def grad(self, point: Array, rng: np.random.Generator) -> Array:
        """The gradient at a point of shape (2,)."""
        return self._numbers(lambda: self.landscape.grad(point, self.h, rng), (2,), "grad")

    def _numbers(self, make: Callable[[], Any], shape: tuple[int, ...], what: str) -> Array:
        """What the landscape computes, float64.

        Raises:
            PluginError: it raises, or returns no numbers of this shape.
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
        """The value at the lowest minimum; NaN where none is known."""
        minima = self.landscape.minima
        return float(min(self.values(np.array(minima)))) if minima else math.nan


@dataclass(frozen=True)
class Path:
    """Where one optimizer went.

    Attributes:
        label: the optimizer, with the values that were given and the learning rate that was found.
        points: shape (steps + 1, 2).
        values: the function there, without noise; shape (steps + 1,).
    """

    label: str
    points: Array
    values: Array


def find_ground(text: str) -> Ground:
    """The landscape that ``name[key=value,...]`` spells.

    Raises:
        ConfigError: an unknown name, or a value out of range.
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
) -> Path:
    """Run an optimizer from the landscape's start.

    A learning rate that is not given is chosen out of `RATES` over the declared search range and
    beyond: the one with the lowest median over the last quarter of the path.

    Args:
        optimizer: its spelling.
        ground: the landscape.
        steps: number of updates, at least 1.
        start: where to begin, if elsewhere.
        seed: of the noise, which is the same for all optimizers.

    Raises:
        ConfigError: an unknown optimizer, or a value out of range.
    """
    if steps < 1:
        raise ConfigError(f"steps={steps} is not allowed; a whole number >= 1")
    name, values = parse_spelling(optimizer)
    found = default_registry().optimizer(name)
    given, control = split_control(found, values)
    begin = np.array(ground.landscape.start if start is None else start, dtype=float)
    rates: list[dict[str, float]] = [{}]
    declared = found.hypers().get("lr")
    if "lr" not in given and declared is not None and declared.search is not None:
        momentum = given.get(declared.scaled_by or "", None)
        scale = 1 - float(momentum) if momentum is not None else 1.0
        low, high = declared.search
        tried = scale * np.geomspace(low, high * BEYOND, RATES)
        rates = [{"lr": float(f"{rate:.2g}")} for rate in tried]
    paths = []
    for rate in rates:
        values = {**given, **rate, **changed(control)}
        points = _walk(found, values, ground, steps, begin, seed)
        paths.append(Path(spell(name, values), points, ground.values(points)))
    return min(paths, key=_end)


def _end(path: Path) -> float:
    """Median over the last quarter; infinite when the path left the numbers."""
    last = path.values[-max(len(path.values) // 4, 1) :]
    return float(np.median(last)) if np.isfinite(last).all() else math.inf


def _walk(
    optimizer: Optimizer,
    hyper: Mapping[str, Value],
    ground: Ground,
    steps: int,
    begin: Array,
    seed: int,
) -> Array:
    rng = np.random.default_rng(seed)

    def value_and_grad(x: Array) -> tuple[float, Array]:
        return float(ground.values(x)), ground.grad(x, rng)

    with np.errstate(all="ignore"):
        return visited_points(optimizer, hyper, value_and_grad, begin, steps)
