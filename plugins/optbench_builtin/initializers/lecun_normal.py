"""LeCun normal."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class LecunNormal(Initializer):
    """W ~ N(0, 1 / n_in), which keeps the variance through linear layers."""

    name = "lecun-normal"
    source = "LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, eq. 16"
    url = "https://doi.org/10.1007/3-540-49430-8_2"
    variant = "fan-in, not truncated; biases 0"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(0.0, np.sqrt(1 / n_in), (n_in, n_out))
