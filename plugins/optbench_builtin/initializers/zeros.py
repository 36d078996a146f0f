"""All weights zero."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values


class Zeros(Initializer):
    """W = 0: all units of a layer stay identical, a failure worth seeing once."""

    name = "zeros"
    source = (
        "Rumelhart, Hinton & Williams 1986, Learning internal representations by error "
        "propagation, p. 330 (the problem of breaking symmetry)"
    )
    variant = "weights and biases 0"
    deterministic = True

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return np.zeros((n_in, n_out))
