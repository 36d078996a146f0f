"""A saddle."""

from __future__ import annotations

import numpy as np

from optbench import Array, Landscape, Values


class Saddle(Landscape):
    """f(x, y) = (x^2 - y^2) / 2 + y^4 / 16: a flat pass with a minimum on either side."""

    name = "saddle"
    source = "Dauphin et al. 2014, Identifying and attacking the saddle point problem"
    url = "https://arxiv.org/abs/1406.2572"
    variant = "the fourth power bounds it from below; the start lies just off the ridge"
    span = ((-2.5, 2.5), (-3.0, 3.0))
    start = (-2.0, 0.01)
    minima = ((0.0, 2.0), (0.0, -2.0))

    def value(self, points: Array, h: Values) -> Array:
        x, y = points[..., 0], points[..., 1]
        return np.asarray(0.5 * (x * x - y * y) + y**4 / 16)

    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        x, y = point
        return np.array([x, -y + y**3 / 4])
