"""Two moons."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource, hyper


class Moons(DatasetSource):
    """Points on two interleaved half circles with noise, two classes."""

    name = "moons"
    task = "binary"
    source = "generated: scikit-learn make_moons"
    cached = True
    n: int = hyper(1000, "number of points", low=50, high=100_000)
    noise: float = hyper(0.2, "standard deviation of the noise", low=0, high=10)
    seed: int = hyper(0, "seed of the points", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return points (n, 2) and the moon."""
        from sklearn.datasets import make_moons

        h = self.h
        points = make_moons(n_samples=h.n, noise=h.noise, random_state=h.seed)
        return cast("tuple[Array, Array]", points)
