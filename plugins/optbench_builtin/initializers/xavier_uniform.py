"""Xavier (Glorot) uniform."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class XavierUniform(Initializer):
    """W ~ U(-a, a), a = sqrt(6 / (n_in + n_out)), so that Var W = 2 / (n_in + n_out)."""

    name = "xavier-uniform"
    source = (
        "Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural "
        "networks, eq. 16"
    )
    url = "https://proceedings.mlr.press/v9/glorot10a.html"
    variant = "no gain; biases 0"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        a = np.sqrt(6 / (n_in + n_out))
        return rng.uniform(-a, a, (n_in, n_out))
