"""Overlapping clouds of points."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource


class Blobs(DatasetSource):
    """1,000 points of five Gaussian clouds in ten dimensions that overlap a little."""

    name = "blobs"
    task = "multiclass"
    source = "generated: scikit-learn make_blobs, standard deviation 5, seed 0"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return points (1000, 10) and the cloud."""
        from sklearn.datasets import make_blobs

        points = make_blobs(
            n_samples=1000, n_features=10, centers=5, cluster_std=5.0, random_state=0
        )
        return cast("tuple[Array, Array]", points)
