"""He (Kaiming) normal."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class HeNormal(Initializer):
    """W ~ N(0, 2 / n_in), which keeps the variance through ReLU layers."""

    name = "he-normal"
    source = "He et al. 2015, Delving Deep into Rectifiers, eq. 10"
    url = "https://arxiv.org/abs/1502.01852"
    variant = "fan-in, not truncated, no gain for other activations; biases 0"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(0.0, np.sqrt(2 / n_in), (n_in, n_out))
