"""A quadratic with a noisy gradient."""

from __future__ import annotations

import numpy as np

from optbench import Array, Landscape, Values, hyper


class NoisyQuadratic(Landscape):
    """f(x, y) = (4 x^2 + y^2) / 2, with normal noise on the gradient: SGD in two dimensions."""

    name = "noisy-quadratic"
    source = "Schaul, Zhang & LeCun 2013, No More Pesky Learning Rates, section 3"
    url = "https://arxiv.org/abs/1206.1106"
    variant = "noise of one standard deviation in both directions, independent of the point"
    span = ((-4.0, 4.0), (-4.0, 7.0))
    start = (-3.0, 6.0)
    minima = ((0.0, 0.0),)

    noise: float = hyper(3.0, "standard deviation of the noise in the gradient", low=0)

    def value(self, points: Array, h: Values) -> Array:
        return np.asarray(0.5 * (4 * points[..., 0] ** 2 + points[..., 1] ** 2))

    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        return np.asarray([4 * point[0], point[1]] + h.noise * rng.normal(size=2))
