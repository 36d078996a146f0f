"""Two circles."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource, hyper


class Circles(DatasetSource):
    """Points on two concentric circles with noise, two classes."""

    name = "circles"
    task = "binary"
    source = "generated: scikit-learn make_circles"
    cached = True
    n: int = hyper(1000, "number of points", low=50, high=100_000)
    noise: float = hyper(0.1, "standard deviation of the noise", low=0, high=10)
    factor: float = hyper(0.5, "radius of the inner circle; the outer one has 1", low=0, high=0.99)
    seed: int = hyper(0, "seed of the points", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return points (n, 2) and the circle."""
        from sklearn.datasets import make_circles

        h = self.h
        points = make_circles(n_samples=h.n, noise=h.noise, factor=h.factor, random_state=h.seed)
        return cast("tuple[Array, Array]", points)
