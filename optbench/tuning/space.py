"""The search space of an optimizer: which hyperparameters are tuned, in which coordinate.

Every searched hyperparameter has a coordinate u that grows with its value; the declared range is
0 <= u <= 1, and a widened range reaches beyond. Logarithmic priors are straight lines in u.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optbench.contracts import Hyper, Optimizer, Value

WIDENING = 0.5
"""A range is extended by this share of its declared width, in the search coordinate."""

Edges = Mapping[str, str]
"""Hyperparameter -> ``"low"`` or ``"high"``."""


@dataclass(frozen=True)
class Dimension:
    """One searched hyperparameter.

    Attributes:
        hyper: its declaration.
        scale: 1 - mu where the hyperparameter is searched as value / (1 - mu) with mu fixed, else
            1 (a searched mu scales point by point, see `to_values`).
        low, high: the range in u, (0, 1) unless widened.
    """

    hyper: Hyper
    scale: float = 1.0
    low: float = 0.0
    high: float = 1.0

    @property
    def name(self) -> str:
        """Name of the hyperparameter."""
        return self.hyper.name

    def quantity(self, u: float) -> float:
        """The searched quantity at u: the value, or value / (1 - mu)."""
        low, high = _span(self.hyper)
        if self.hyper.prior == "uniform":
            return low + u * (high - low)
        if self.hyper.prior == "one-minus-log":
            return 1 - math.exp(math.log(high) + u * (math.log(low) - math.log(high)))
        return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))

    def coordinate(self, quantity: float) -> float:
        """The inverse of `quantity`; minus or plus infinity where the prior ends."""
        low, high = _span(self.hyper)
        if self.hyper.prior == "uniform":
            return (quantity - low) / (high - low)
        if self.hyper.prior == "one-minus-log":
            rest = 1 - quantity
            return math.inf if rest <= 0 else math.log(rest / high) / math.log(low / high)
        return -math.inf if quantity <= 0 else math.log(quantity / low) / math.log(high / low)

    @property
    def limits(self) -> tuple[float, float]:
        """The valid range of values, in u. Without a finite bound, infinity."""
        valid = (self.hyper.low / self.scale, self.hyper.high / self.scale)
        first, last = (self.coordinate(v) if math.isfinite(v) else v for v in valid)
        return first, last


def _span(hyper: Hyper) -> tuple[float, float]:
    assert hyper.search is not None
    return hyper.search


def dimensions(
    optimizer: Optimizer,
    given: Mapping[str, Value],
    ruleset: str,
    widened: Sequence[Edges] = (),
) -> list[Dimension]:
    """What a ruleset tunes; empty when there is nothing to tune.

    ``"defaults"`` tunes nothing; ``"lr"`` the hyperparameter named lr; ``"full"`` everything that
    declares a search range. What the user has given is never tuned.

    Args:
        optimizer: Rule or Stepper class.
        given: values fixed by the user.
        ruleset: ``"defaults"``, ``"lr"`` or ``"full"``.
        widened: the edges at which the ranges have been extended so far, one mapping a round.
    """
    declared = optimizer.hypers()
    found = []
    for name, hyper in declared.items():
        if name in given or hyper.search is None or ruleset == "defaults":
            continue
        if ruleset == "lr" and name != "lr":
            continue
        dimension = Dimension(hyper, _fixed_scale(hyper, declared, given))
        for edges in widened:
            dimension = widen(dimension, edges.get(name, ""))
        found.append(dimension)
    return found


def widen(dimension: Dimension, side: str) -> Dimension:
    """The dimension with its range extended at ``"low"`` or ``"high"``, within the valid range."""
    first, last = dimension.limits
    low, high = dimension.low, dimension.high
    if side == "low":
        low = min(low, max(low - WIDENING, first))
    elif side == "high":
        high = max(high, min(high + WIDENING, last))
    return Dimension(dimension.hyper, dimension.scale, low, high)


def choice_dimensions(
    optimizer: Optimizer, given: Mapping[str, Value], ruleset: str
) -> dict[str, tuple[str, ...]]:
    """Hyperparameters with a list of choices that a ruleset tunes (``"full"`` only)."""
    if ruleset != "full":
        return {}
    declared = optimizer.hypers()
    return {k: h.choices for k, h in declared.items() if k not in given and len(h.choices) > 1}


def _fixed_scale(hyper: Hyper, declared: Mapping[str, Hyper], given: Mapping[str, Value]) -> float:
    if hyper.scaled_by is None or hyper.scaled_by not in declared:
        return 1.0
    mu = given.get(hyper.scaled_by, declared[hyper.scaled_by].default)
    return max(1 - float(mu), 1e-12)


def scale_at(hyper: Hyper, values: Mapping[str, Value]) -> float:
    """1 - mu at a configuration, or 1 for a hyperparameter that is searched as it is."""
    if hyper.scaled_by is None or hyper.scaled_by not in values:
        return 1.0
    return max(1 - float(values[hyper.scaled_by]), 1e-12)


def to_values(
    optimizer: Optimizer,
    given: Mapping[str, Value],
    searched: Sequence[Dimension],
    point: Sequence[float],
) -> dict[str, Value]:
    """The configuration at a point.

    Args:
        optimizer: Rule or Stepper class.
        given: values fixed by the user.
        searched: the dimensions.
        point: u of each dimension, 0 at `Dimension.low` and 1 at `Dimension.high`.

    Returns:
        A value of the declared type for every hyperparameter.
    """
    declared = optimizer.hypers()
    values: dict[str, Value] = {k: h.default for k, h in declared.items()}
    values.update(given)
    quantities = {
        d.name: d.quantity(d.low + u * (d.high - d.low))
        for d, u in zip(searched, point, strict=True)
    }
    scaled = [d for d in searched if d.hyper.scaled_by is not None]
    for d in [d for d in searched if d.hyper.scaled_by is None] + scaled:
        value = quantities[d.name] * scale_at(d.hyper, values)
        value = min(max(value, d.hyper.low), d.hyper.high)
        values[d.name] = round(value) if d.hyper.kind is int else value
    return values
