"""Many classes, most of which are rare."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper


class RareClasses(DatasetSource):
    """Gaussian clouds of many classes; class k has a frequency in proportion to 1 / (k + 1).

    Half of the loss comes from classes with few examples each, which plain gradient descent learns
    slowly: this is given as a reason why Adam is faster than descent on language models.
    """

    name = "rare-classes"
    task = "multiclass"
    source = "generated: Kunstner et al. 2024, arXiv:2402.19449"
    cached = True
    n: int = hyper(2000, "number of examples", low=50, high=100_000)
    dimension: int = hyper(20, "number of features", low=1, high=10_000)
    classes: int = hyper(30, "number of classes", low=2, high=1000)
    spread: float = hyper(0.8, "standard deviation of the centers along each axis", low=0)
    seed: int = hyper(0, "seed of the examples", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return points (n, dimension) and the class; each class has an example at least."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        shares = 1 / np.arange(1, h.classes + 1)
        ends = np.cumsum(shares) / shares.sum() * (h.n - h.classes)
        counts = np.diff(np.round(ends), prepend=0).astype(int) + 1
        labels = np.repeat(np.arange(h.classes), counts)
        centers = rng.normal(0, h.spread, (h.classes, h.dimension))
        return centers[labels] + rng.normal(size=(h.n, h.dimension)), labels
