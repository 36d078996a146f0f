"""The search space of an entrant: which hyperparameters are tuned, and in which coordinate.

Every searched hyperparameter has a coordinate u that grows with its value. The declared range is
0 <= u <= 1; a widened range extends beyond it. Logarithmic priors are straight lines in u.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optbench.contracts import Hyper, Optimizer, Value, rate_of

WIDENING = 0.5
"""Share of its declared width by which a range is extended, in the search coordinate."""
SMALLEST_SCALE = 1e-12
"""Lower bound of 1 - mu, so that mu = 1 does not divide by zero."""

Edges = Mapping[str, str]
"""Hyperparameter -> ``"low"`` or ``"high"``: the end of its range at which the best trial lies."""


@dataclass(frozen=True)
class Dimension:
    """One searched hyperparameter.

    Attributes:
        hyper: Its declaration.
        scale: 1 - mu where the hyperparameter is searched as value / (1 - mu) with mu fixed,
            otherwise 1. (When mu is searched too, the scale differs from point to point; see
            `SearchSpace.values_at`.)
        low: Lower end of the range in u; 0 unless widened.
        high: Upper end of the range in u; 1 unless widened.
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
        """Return the searched quantity at u: the value, or value / (1 - mu)."""
        low, high = self._declared
        if self.hyper.prior == "uniform":
            return low + u * (high - low)
        if self.hyper.prior == "one-minus-log":
            return 1 - math.exp(math.log(high) + u * (math.log(low) - math.log(high)))
        return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))

    def coordinate(self, quantity: float) -> float:
        """Return u of a quantity (the inverse of `quantity`); infinite where the prior ends."""
        low, high = self._declared
        if self.hyper.prior == "uniform":
            return (quantity - low) / (high - low)
        if self.hyper.prior == "one-minus-log":
            rest = 1 - quantity
            return math.inf if rest <= 0 else math.log(rest / high) / math.log(low / high)
        return -math.inf if quantity <= 0 else math.log(quantity / low) / math.log(high / low)

    def position(self, values: Mapping[str, Value]) -> float:
        """Return where a configuration lies in the range: 0 at its lower end, 1 at its upper."""
        return (self.coordinate_of(values) - self.low) / (self.high - self.low)

    def coordinate_of(self, values: Mapping[str, Value]) -> float:
        """Return u of a configuration."""
        return self.coordinate(float(values[self.name]) / scale_at(self.hyper, values))

    def around(self, u: float, distance: float) -> Dimension:
        """Return the dimension with the range from `distance` below u to `distance` above it.

        Where u is infinite, the nearer end of the range takes its place.
        """
        center = u if math.isfinite(u) else min(max(u, self.low), self.high)
        return replace(self, low=center - distance, high=center + distance)

    @property
    def limits(self) -> tuple[float, float]:
        """The valid range in u; infinite at an end without a finite bound."""
        valid = (self.hyper.low / self.scale, self.hyper.high / self.scale)
        first, last = (self.coordinate(v) if math.isfinite(v) else v for v in valid)
        return first, last

    def widen(self, side: str) -> Dimension:
        """Return the dimension with its range extended at one end, as far as values are valid.

        Args:
            side: ``"low"`` or ``"high"``; anything else leaves the range as it is.
        """
        first, last = self.limits
        low, high = self.low, self.high
        if side == "low":
            low = min(low, max(low - WIDENING, first))
        elif side == "high":
            high = max(high, min(high + WIDENING, last))
        return replace(self, low=low, high=high)

    @property
    def _declared(self) -> tuple[float, float]:
        assert self.hyper.search is not None
        return self.hyper.search


@dataclass(frozen=True)
class SearchSpace:
    """What is tuned for one entrant.

    Attributes:
        optimizer: Rule or Stepper class.
        given: Values fixed by the user, already checked; they are never tuned.
        ruleset: ``"defaults"`` tunes nothing, ``"lr"`` the rate, ``"full"``
            everything that declares a search range or several choices.
    """

    optimizer: Optimizer
    given: Mapping[str, Value]
    ruleset: str

    def dimensions(self, widened: Sequence[Edges] = ()) -> list[Dimension]:
        """Return the searched hyperparameters that have a range; an empty list if none is tuned.

        Args:
            widened: The edges at which the ranges have been extended, one mapping per widening.
        """
        declared = self.optimizer.hypers()
        rate = rate_of(self.optimizer)
        dimensions = []
        for name, hyper in declared.items():
            if name in self.given or hyper.search is None or self.ruleset == "defaults":
                continue
            if self.ruleset == "lr" and (rate is None or name != rate.name):
                continue
            dimension = Dimension(hyper, self._fixed_scale(hyper, declared))
            for edges in widened:
                dimension = dimension.widen(edges.get(name, ""))
            dimensions.append(dimension)
        return dimensions

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Return the searched hyperparameters that have a list of choices (``"full"`` only)."""
        if self.ruleset != "full":
            return {}
        return {
            name: hyper.choices
            for name, hyper in self.optimizer.hypers().items()
            if name not in self.given and len(hyper.choices) > 1
        }

    def values_at(
        self,
        dimensions: Sequence[Dimension] = (),
        point: Sequence[float] = (),
        chosen: Mapping[str, str] | None = None,
    ) -> dict[str, Value]:
        """Return the configuration at a point.

        Args:
            dimensions: The searched dimensions.
            point: Position in each of them, 0 at `Dimension.low` and 1 at `Dimension.high`.
            chosen: The value of each hyperparameter in `choices`.

        Returns:
            A value of the declared type for every hyperparameter; the given value or the default
            for those that are not searched.
        """
        values: dict[str, Value] = {k: h.default for k, h in self.optimizer.hypers().items()}
        values.update(self.given)
        values.update(chosen or {})
        quantities = {
            d.name: d.quantity(d.low + u * (d.high - d.low))
            for d, u in zip(dimensions, point, strict=True)
        }
        scaled_last = sorted(dimensions, key=lambda d: d.hyper.scaled_by is not None)
        for d in scaled_last:
            value = quantities[d.name] * scale_at(d.hyper, values)
            value = min(max(value, d.hyper.low), d.hyper.high)
            values[d.name] = round(value) if d.hyper.kind is int else value
        return values

    def _fixed_scale(self, hyper: Hyper, declared: Mapping[str, Hyper]) -> float:
        """Return 1 - mu with the given mu or its default, or 1 if `hyper` is not scaled."""
        defaults = {name: other.default for name, other in declared.items()}
        return scale_at(hyper, {**defaults, **self.given})


def scale_at(hyper: Hyper, values: Mapping[str, Value]) -> float:
    """Return 1 - mu at a configuration, or 1 for a hyperparameter that is not scaled."""
    if hyper.scaled_by is None or hyper.scaled_by not in values:
        return 1.0
    return max(1 - float(values[hyper.scaled_by]), SMALLEST_SCALE)
