"""Large normal weights."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values, hyper


class LargeNormal(Initializer):
    """W ~ N(0, std^2) with a large std: units saturate, signals explode."""

    name = "large-normal"
    source = "LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, section 4.6 (why it fails)"
    url = "https://doi.org/10.1007/3-540-49430-8_2"
    variant = "std does not depend on the layer; biases 0"

    std: float = hyper(1.0, "standard deviation of the weights", low=0, log_range=(0.3, 10))

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(0.0, h.std, (n_in, n_out))
