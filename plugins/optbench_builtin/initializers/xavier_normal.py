"""Xavier (Glorot) normal."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class XavierNormal(Initializer):
    """W ~ N(0, 2 / (n_in + n_out))."""

    name = "xavier-normal"
    source = (
        "Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural "
        "networks, eq. 12"
    )
    url = "https://proceedings.mlr.press/v9/glorot10a.html"
    variant = "not truncated, no gain; biases 0"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(0.0, np.sqrt(2 / (n_in + n_out)), (n_in, n_out))
