"""LeCun uniform."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class LecunUniform(Initializer):
    """W ~ U(-a, a), a = sqrt(3 / n_in), so that Var W = 1 / n_in."""

    name = "lecun-uniform"
    source = "LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, eq. 16"
    url = "https://doi.org/10.1007/3-540-49430-8_2"
    variant = "fan-in; biases 0"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        a = np.sqrt(3 / n_in)
        return rng.uniform(-a, a, (n_in, n_out))
