"""Two moons."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource


class Moons(DatasetSource):
    """1,000 points on two interleaved half circles with noise, two classes."""

    name = "moons"
    task = "binary"
    source = "generated: scikit-learn make_moons, noise 0.2, seed 0"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return points (1000, 2) and the moon."""
        from sklearn.datasets import make_moons

        points = make_moons(n_samples=1000, noise=0.2, random_state=0)
        return cast("tuple[Array, Array]", points)
