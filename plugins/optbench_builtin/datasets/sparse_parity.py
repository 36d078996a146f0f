"""The parity of a few of many signs."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper


class SparseParity(DatasetSource):
    """Random signs, labeled by the parity of the first few of them.

    No single feature says anything about the label: it takes all `relevant` signs together. The
    loss stays at that of guessing until a network has found them, and then falls quickly.
    """

    name = "sparse-parity"
    task = "binary"
    source = "generated: Barak et al. 2022, arXiv:2207.08799"
    cached = True
    standardize = False
    n: int = hyper(2000, "number of examples", low=50, high=100_000)
    dimension: int = hyper(20, "number of signs", low=2, high=1000)
    relevant: int = hyper(3, "signs that the label depends on, at most `dimension`", low=1, high=20)
    noise: float = hyper(0.05, "share of the labels that are flipped", low=0, high=0.5)
    seed: int = hyper(0, "seed of the examples", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return signs (n, dimension) of -1 and 1, and the parity."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        negative = rng.integers(2, size=(h.n, h.dimension))
        parity = negative[:, : h.relevant].sum(axis=1) % 2
        return 1.0 - 2.0 * negative, parity ^ (rng.random(h.n) < h.noise)
