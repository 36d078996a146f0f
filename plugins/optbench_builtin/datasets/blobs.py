"""Overlapping clouds of points."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource, hyper


class Blobs(DatasetSource):
    """Points of Gaussian clouds that overlap a little, one class for each cloud."""

    name = "blobs"
    task = "multiclass"
    source = "generated: scikit-learn make_blobs"
    cached = True
    n: int = hyper(1000, "number of points", low=50, high=100_000)
    dimension: int = hyper(10, "number of features", low=1, high=10_000)
    classes: int = hyper(5, "number of clouds", low=2, high=10)
    spread: float = hyper(5.0, "standard deviation of a cloud; centers lie in [-10, 10]", low=0)
    seed: int = hyper(0, "seed of the points", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return points (n, dimension) and the cloud."""
        from sklearn.datasets import make_blobs

        h = self.h
        points = make_blobs(
            n_samples=h.n,
            n_features=h.dimension,
            centers=h.classes,
            cluster_std=h.spread,
            random_state=h.seed,
        )
        return cast("tuple[Array, Array]", points)
