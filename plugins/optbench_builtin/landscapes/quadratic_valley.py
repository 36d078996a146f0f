"""A quadratic valley."""

from __future__ import annotations

import numpy as np

from optbench import Array, Landscape, Values, hyper


class QuadraticValley(Landscape):
    """f = (condition u^2 + v^2) / 2: steep across, along u, and flat along v.

    u = x cos(angle) + y sin(angle),  v = -x sin(angle) + y cos(angle).
    """

    name = "quadratic-valley"
    source = "Polyak 1987, Introduction to Optimization, section 1.4"
    variant = "rotated against the axes; plain gradient descent is stable below lr = 2 / condition"
    span = ((-9.0, 5.0), (-3.0, 11.0))
    start = (-6.7, 7.7)
    minima = ((0.0, 0.0),)

    condition: float = hyper(50.0, "largest over smallest curvature", low=1)
    angle: float = hyper(30.0, "rotation in degrees; 0 favors methods that scale each axis")

    def value(self, points: Array, h: Values) -> Array:
        u, v = _along(points[..., 0], points[..., 1], h)
        return np.asarray(0.5 * (h.condition * u * u + v * v))

    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        u, v = _along(point[0], point[1], h)
        c, s = np.cos(np.deg2rad(h.angle)), np.sin(np.deg2rad(h.angle))
        return np.array([h.condition * u * c - v * s, h.condition * u * s + v * c])


def _along(x: Array, y: Array, h: Values) -> tuple[Array, Array]:
    c, s = np.cos(np.deg2rad(h.angle)), np.sin(np.deg2rad(h.angle))
    return x * c + y * s, y * c - x * s
