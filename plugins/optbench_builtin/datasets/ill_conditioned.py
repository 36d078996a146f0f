"""Classes that depend on features of very different scales."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper
from optbench_builtin.datasets.teacher import teacher_outputs
from optbench_builtin.portable import rounded


class IllConditioned(DatasetSource):
    """The labels of a random network; its inputs are given along rotated axes of unequal scale.

    The standard deviations of the inputs along random orthogonal directions fall geometrically, so
    that the largest over the smallest variance is `condition`. Every direction matters equally for
    the label, and no step size for single weights can undo the rotation.
    """

    name = "ill-conditioned"
    task = "multiclass"
    source = "generated: covariance with geometric eigenvalues, after LeCun et al. 1998"
    cached = True
    standardize = False  # scaling each feature would change the condition number
    n: int = hyper(1500, "number of examples", low=50, high=100_000)
    dimension: int = hyper(15, "number of features", low=2, high=1000)
    classes: int = hyper(3, "number of classes", low=2, high=10)
    condition: float = hyper(1000.0, "condition number of the covariance", low=1, high=1e9)
    width: int = hyper(6, "hidden units of the random network", low=1, high=10_000)
    gain: float = hyper(1.0, "scale of its hidden weights; larger is less linear", low=0, high=100)
    seed: int = hyper(0, "seed of the examples", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return inputs (n, dimension) and labels."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        latent = rng.normal(size=(h.n, h.dimension))
        outputs = teacher_outputs(latent, h, rng, (h.classes,))
        scales = np.geomspace(1, h.condition**-0.5, h.dimension)
        scales /= np.sqrt((scales**2).mean())
        directions = np.linalg.qr(rng.normal(size=(h.dimension, h.dimension)))[0]
        inputs = rounded((latent * scales) @ directions.T)
        return inputs, np.argmax(outputs - outputs.mean(axis=0), axis=1)
