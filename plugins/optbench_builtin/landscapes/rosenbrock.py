"""Rosenbrock's banana."""

from __future__ import annotations

import numpy as np

from optbench import Array, Landscape, Values


class Rosenbrock(Landscape):
    """f(x, y) = (1 - x)^2 + 100 (y - x^2)^2: a long curved valley that is nearly flat."""

    name = "rosenbrock"
    source = "Rosenbrock 1960, An automatic method for finding the greatest or least value"
    url = "https://doi.org/10.1093/comjnl/3.3.175"
    span = ((-2.0, 2.0), (-1.0, 3.0))
    start = (-1.2, 1.0)
    minima = ((1.0, 1.0),)

    def value(self, points: Array, h: Values) -> Array:
        x, y = points[..., 0], points[..., 1]
        return np.asarray((1 - x) ** 2 + 100 * (y - x * x) ** 2)

    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        x, y = point
        across = 200 * (y - x * x)
        return np.array([-2 * (1 - x) - 2 * x * across, across])
