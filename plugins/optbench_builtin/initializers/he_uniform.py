"""He (Kaiming) uniform."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class HeUniform(Initializer):
    """W ~ U(-a, a), a = sqrt(6 / n_in), so that Var W = 2 / n_in."""

    name = "he-uniform"
    source = "He et al. 2015, Delving Deep into Rectifiers, eq. 10"
    url = "https://arxiv.org/abs/1502.01852"
    variant = "fan-in, no gain for other activations; biases 0"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        a = np.sqrt(6 / n_in)
        return rng.uniform(-a, a, (n_in, n_out))
