"""A quadratic valley."""

from __future__ import annotations

import numpy as np

from optbench import Array, Landscape, Values, hyper


class QuadraticValley(Landscape):
    """f(x, y) = (condition x^2 + y^2) / 2: steep across, flat along."""

    name = "quadratic-valley"
    source = "Polyak 1987, Introduction to Optimization, section 1.4"
    variant = "axes aligned; descent is stable below lr = 2 / condition"
    span = ((-3.0, 3.0), (-1.0, 11.0))
    start = (-2.0, 10.0)
    minima = ((0.0, 0.0),)

    condition: float = hyper(20.0, "largest over smallest curvature", low=1)

    def value(self, points: Array, h: Values) -> Array:
        return np.asarray(0.5 * (h.condition * points[..., 0] ** 2 + points[..., 1] ** 2))

    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        return np.array([h.condition * point[0], point[1]])
