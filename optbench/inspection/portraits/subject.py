"""An optimizer that is portrayed: it takes steps on small problems, with given or tried rates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from optbench.contracts import Array, Optimizer, Value, rate_of
from optbench.errors import ConfigError
from optbench.hyperparameters import parse_spelling, split_control
from optbench.inspection.trajectories import ValueAndGrad, visited_points
from optbench.inspection.tried_rates import tried_rates
from optbench.records import spell
from optbench.registry.registry import Registry

RATES = 12
"""Number of learning rates that are tried where the rate is not given."""


@dataclass(frozen=True)
class Problem:
    """A function of parameters with its gradient.

    Attributes:
        start: Where optimizers begin, any shape, float64.
        value: The function, without noise.
        make: Returns a function for value and gradient. Called once for each path, so that noise
            and one-off events are the same on each.
    """

    start: Array
    value: Callable[[Array], float]
    make: Callable[[], ValueAndGrad]

    def values(self, points: Array) -> Array:
        """Return the value at each of several points, infinite where it is not finite."""
        with np.errstate(all="ignore"):
            values = np.array([self.value(point) for point in points])
        return np.where(np.isfinite(values), values, np.inf)


def smooth_problem(
    start: Array, value: Callable[[Array], float], grad: Callable[[Array], Array]
) -> Problem:
    """Return a problem without noise."""
    return Problem(start, value, lambda: lambda x: (value(x), grad(x)))


@dataclass(frozen=True)
class Subject:
    """An optimizer with the values that a user gives.

    Attributes:
        label: The optimizer as ``name[key=value,...]``.
        optimizer: Its class.
        values: The given values of hyperparameters, schedule and clipping.
    """

    label: str
    optimizer: Optimizer
    values: Mapping[str, Value]

    def path(self, problem: Problem, steps: int, rate: float | None = None) -> Array:
        """Return the points that it visits, shape (steps + 1, *shape of the parameters).

        Args:
            problem: The problem.
            steps: Number of updates.
            rate: Learning rate; by default the given one, or else the default.
        """
        name = self.rate_name
        values = dict(self.values) if rate is None or name is None else {**self.values, name: rate}
        with np.errstate(all="ignore"):
            return visited_points(self.optimizer, values, problem.make(), problem.start, steps)

    @property
    def rate_name(self) -> str | None:
        """Name of the hyperparameter that is its learning rate; None if it has none."""
        declared = rate_of(self.optimizer)
        return None if declared is None else declared.name

    @functools.cached_property
    def rates(self) -> tuple[float | None, ...]:
        """Learning rates to try: log-spaced over the search range and beyond; None if it is given.

        Where the range holds the rate over 1 - momentum, it is multiplied by 1 - momentum.
        """
        declared = rate_of(self.optimizer)
        if declared is None or declared.name in self.values or declared.search is None:
            return (None,)
        defaults = {name: each.default for name, each in self.optimizer.hypers().items()}
        return tuple(tried_rates(declared, {**defaults, **self.values}, RATES))

    def paths(self, problem: Problem, steps: int) -> Iterator[tuple[float | None, Array]]:
        """Yield each rate that is tried, and the values along its path."""
        for rate in self.rates:
            try:
                points = self.path(problem, steps, rate)
            except ConfigError:  # a rate beyond what the optimizer allows
                continue
            yield rate, problem.values(points)

    def best_rate(self, problem: Problem, steps: int) -> float | None:
        """Return the rate with the lowest mean value over the last quarter of its path."""
        return min(
            self.paths(problem, steps), key=lambda path: path[1][-max(steps // 4, 1) :].mean()
        )[0]


def find_subject(spelling: str, registry: Registry) -> Subject:
    """Return the optimizer with this spelling.

    Raises:
        ConfigError: The name is unknown, or a value is out of range.
    """
    name, values = parse_spelling(spelling)
    optimizer = registry.optimizer(name)
    split_control(optimizer, values)
    return Subject(spell(name, values), optimizer, values)
