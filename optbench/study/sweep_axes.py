"""Axes of a sweep: a hyperparameter and its values, parsed from text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optbench.contracts import Hyper, Optimizer, Value, rate_of
from optbench.errors import ConfigError, unknown_name
from optbench.hyperparameters import CONTROL_HYPERS, parse_spelling, parse_value
from optbench.registry import Registry, default_registry

RUN_AXES = (
    "layers", "neurons", "batch_size", "epochs", "activation", "initializer", "regime",
    "train_size",
)  # fmt: skip
"""Names of axes other than hyperparameters of the optimizer."""
WHOLE_AXES = ("layers", "neurons", "batch_size", "epochs", "train_size")
"""Names of axes of whole numbers, which may be given as a range. A range of ``train_size`` up to 1
has shares of the training examples instead."""
EVEN_AXES = ("layers",)
"""Names of whole-number axes with evenly spaced ranges; others are spaced geometrically."""
ALIASES = {
    "depth": "layers",
    "width": "neurons",
    "units": "neurons",
    "hidden": "neurons",
    "examples": "train_size",
}
"""Alternative names of axes, for hints in error messages."""
DEFAULT_POINTS = 7
"""Default number of points of a range."""
MAX_POINTS = 1000
"""Largest number of points of a range."""
DIGITS = 2
"""Number of significant digits of the points of a range, for readability."""
LOG_SPREAD = 20
"""Ratio of the largest to the smallest listed value from which an axis is logarithmic."""


@dataclass(frozen=True)
class Axis:
    """One swept hyperparameter.

    Attributes:
        name: One of `RUN_AXES`, or a hyperparameter of the optimizer.
        values: Values of the hyperparameter, in order.
        logarithmic: Whether the axis is logarithmic in plots.
    """

    name: str
    values: tuple[Value, ...]
    logarithmic: bool = False


def parse_axis(text: str, optimizers: Sequence[str], registry: Registry | None = None) -> Axis:
    """Return the axis in a text such as ``lr=0.001,0.01,0.1``, ``lr=1e-4..1`` or ``lr=1e-4..1:9``.

    Args:
        text: Name, and comma-separated values or a range.
        optimizers: Spellings of the swept optimizers; each must have the hyperparameter.
        registry: Registry of the optimizers; that of the process if None.

    Raises:
        ConfigError: The text or a range is invalid, or the hyperparameter does not exist.

    Example:
        >>> parse_axis("neurons=8..128:5", ["sgd"]).values
        (8, 16, 32, 64, 128)
    """
    name, equals, rest = (part.strip() for part in text.partition("="))
    name = name.replace("-", "_")
    if not equals or not rest:
        raise ConfigError(
            f"'{text}' is not of the form name=values, as in lr=0.01,0.1 or lr=1e-4..1"
        )
    declared = _declaration(name, optimizers, registry)
    low, dots, high = rest.partition("..")
    if dots:
        return _range_axis(name, text, low, high, declared)
    parts = (part.strip() for part in rest.split(","))
    values = tuple(dict.fromkeys(parse_value(part) for part in parts if part))
    return Axis(name, values, _is_spread(values))


def make_axis(
    name: str, values: Sequence[Value], optimizers: Sequence[str], registry: Registry | None = None
) -> Axis:
    """Return the axis with these values.

    Args:
        name: One of `RUN_AXES`, or a hyperparameter of the optimizers.
        values: The values, at least one.
        optimizers: Spellings of the swept optimizers; each must have the hyperparameter.
        registry: Registry of the optimizers; that of the process if None.

    Raises:
        ConfigError: Values are missing, or the hyperparameter does not exist.
    """
    _declaration(name, optimizers, registry)
    plain = tuple(dict.fromkeys(v.item() if isinstance(v, np.generic) else v for v in values))
    if not plain:
        raise ConfigError(f"{name} has no values to sweep")
    return Axis(name, plain, _is_spread(plain))


def _is_spread(values: Sequence[Value]) -> bool:
    """Return whether values are positive numbers that belong on a logarithmic axis."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values) or len(values) < 3:
        return False
    return min(numbers) > 0 and max(numbers) >= LOG_SPREAD * min(numbers)


def _declaration(name: str, optimizers: Sequence[str], registry: Registry | None) -> Hyper | None:
    """Return the declaration of a hyperparameter, or None for one of the `RUN_AXES`."""
    declared: Hyper | None = None
    registry = registry or default_registry()
    for text in () if name in RUN_AXES else optimizers:
        optimizer: Optimizer = registry.optimizer(parse_spelling(text)[0])
        hypers = {**CONTROL_HYPERS, **optimizer.hypers()}
        if name not in hypers:
            known = [*RUN_AXES, *hypers]
            rate = rate_of(optimizer)
            if name == "lr" and rate is not None:
                raise ConfigError(
                    f"{optimizer.name} has no hyperparameter 'lr'; its rate is {rate.name}: sweep "
                    f"it apart, as {rate.name}=..."
                )
            raise unknown_name(f"hyperparameter of {optimizer.name} to sweep", name, known, ALIASES)
        declared = hypers[name]
    return declared


def _range_axis(name: str, text: str, low: str, high: str, declared: Hyper | None) -> Axis:
    """Return the axis of a range ``low..high`` or ``low..high:points``."""
    high, _, count = high.partition(":")
    try:
        first, last = float(low), float(high)
        n = int(count) if count else DEFAULT_POINTS
    except ValueError:
        raise ConfigError(f"'{text}' is not a range; write low..high or low..high:points") from None
    valid = math.isfinite(first) and math.isfinite(last) and first < last
    if not valid or not 2 <= n <= MAX_POINTS:
        raise ConfigError(
            f"'{text}' is not a range; low must be below high, with 2 to {MAX_POINTS} points"
        )
    if declared is None and name not in WHOLE_AXES:
        raise ConfigError(f"{name} has no range; list its values with commas between them")
    prior = declared.prior if declared else "uniform" if name in EVEN_AXES else "log"
    points, logarithmic = _divide(first, last, n, prior)
    is_share = name == "train_size" and last <= 1
    if (declared is None and not is_share) or (declared is not None and declared.kind is int):
        return Axis(name, tuple(dict.fromkeys(round(p) for p in points.tolist())), logarithmic)
    values = tuple(float(f"{p:.{DIGITS}g}") for p in points.tolist())
    return Axis(name, values, logarithmic)


def _divide(first: float, last: float, n: int, prior: str | None) -> tuple[Any, bool]:
    """Return n points from first to last, and whether they are spaced geometrically."""
    if prior == "one-minus-log" and last < 1:
        return 1 - np.geomspace(1 - first, 1 - last, n), False
    if prior == "log" and first > 0:
        return np.geomspace(first, last, n), True
    return np.linspace(first, last, n), False
