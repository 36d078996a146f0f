"""Two circles."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource


class Circles(DatasetSource):
    """1,000 points on two concentric circles with noise, two classes."""

    name = "circles"
    task = "binary"
    source = "generated: scikit-learn make_circles, noise 0.1, factor 0.5, seed 0"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return points (1000, 2) and the circle."""
        from sklearn.datasets import make_circles

        points = make_circles(n_samples=1000, noise=0.1, factor=0.5, random_state=0)
        return cast("tuple[Array, Array]", points)
