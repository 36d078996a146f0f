"""The contract of a two-dimensional function for ``optbench trajectory``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from optbench.contracts.declarations import Values
from optbench.contracts.plugin import Array, Plugin


class Landscape(Plugin, ABC):
    """A function of two variables on which ``optbench trajectory`` draws the paths of optimizers.

    Hyperparameters work as in optimizers.

    Example:
        >>> from optbench import Landscape, Values
        >>> class Bowl(Landscape):
        ...     '''f(x, y) = x^2 + y^2.'''
        ...     name = "bowl"
        ...     span = ((-2.0, 2.0), (-2.0, 2.0))
        ...     start = (-1.5, 1.0)
        ...     minima = ((0.0, 0.0),)
        ...     def value(self, points, h):
        ...         return (points**2).sum(axis=-1)
        ...     def grad(self, point, h, rng):
        ...         return 2 * point
        >>> float(Bowl().value(np.array([1.0, 2.0]), Values({})))
        5.0
    """

    span: ClassVar[tuple[tuple[float, float], tuple[float, float]]]
    """The part that is drawn, ``((x_low, x_high), (y_low, y_high))``."""
    start: ClassVar[tuple[float, float]]
    """The point where optimizers begin, inside the span."""
    minima: ClassVar[tuple[tuple[float, float], ...]] = ()
    """The lowest points; empty when the function has none."""

    @abstractmethod
    def value(self, points: Array, h: Values) -> Array:
        """Return the function at points of shape (..., 2), float64; shape (...)."""

    @abstractmethod
    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        """Return the gradient at a point of shape (2,); any noise is drawn from `rng`."""
