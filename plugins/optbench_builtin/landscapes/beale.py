"""Beale's function."""

from __future__ import annotations

import numpy as np

from optbench import Array, Landscape, Values


class Beale(Landscape):
    """f(x, y) = sum of (c_k - x (1 - y^k))^2, k = 1, 2, 3: flat plains between steep walls."""

    name = "beale"
    source = "Beale 1958, On an iterative method for finding a local minimum"
    variant = "c = 1.5, 2.25, 2.625"
    span = ((-1.0, 4.5), (-2.0, 2.0))
    start = (1.0, 1.5)
    minima = ((3.0, 0.5),)

    def value(self, points: Array, h: Values) -> Array:
        x, y = points[..., 0], points[..., 1]
        first = (1.5 - x + x * y) ** 2
        return np.asarray(first + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2)

    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        x, y = point
        power = np.array([1, 2, 3])
        error = np.array([1.5, 2.25, 2.625]) - x * (1 - y**power)
        along_x = 2 * error * (y**power - 1)
        along_y = 2 * error * x * power * y ** (power - 1)
        return np.array([along_x.sum(), along_y.sum()])
