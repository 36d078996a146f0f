"""A linear problem with a given condition number."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper
from optbench_builtin.portable import rounded


class LinearRegression(DatasetSource):
    """Inputs of a given condition number, and a linear function of them with noise.

    The standard deviations of the inputs along random orthogonal directions fall geometrically, so
    that the largest over the smallest variance is `condition`; the mean variance is 1. Every
    direction contributes equally to the target. The Hessian of the loss of a linear model has about
    this condition number.
    """

    name = "linear-regression"
    task = "regression"
    source = (
        "generated: a covariance with geometric eigenvalues, after Bottou, Curtis & Nocedal 2018"
    )
    cached = True
    standardize = False  # scaling each feature would change the condition number
    n: int = hyper(1500, "number of examples", low=50, high=100_000)
    dimension: int = hyper(20, "number of features", low=2, high=1000)
    condition: float = hyper(100.0, "condition number of the covariance", low=1, high=1e9)
    noise: float = hyper(0.1, "standard deviation of the noise", low=0, high=10)
    seed: int = hyper(0, "seed of the examples", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return inputs (n, dimension) and targets (n,)."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        latent = rng.normal(size=(h.n, h.dimension))
        scales = np.geomspace(1, h.condition**-0.5, h.dimension)
        scales /= np.sqrt((scales**2).mean())
        directions = np.linalg.qr(rng.normal(size=(h.dimension, h.dimension)))[0]
        outputs = latent @ rng.normal(size=h.dimension) / h.dimension**0.5
        inputs = rounded((latent * scales) @ directions.T)
        return inputs, rounded(outputs + h.noise * rng.normal(size=h.n))
