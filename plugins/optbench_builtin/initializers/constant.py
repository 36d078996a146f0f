"""All weights equal."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values, hyper


class Constant(Initializer):
    """W = value: all units of a layer compute the same and learn the same."""

    name = "constant"
    source = (
        "Rumelhart, Hinton & Williams 1986, Learning internal representations by error "
        "propagation, p. 330 (the problem of breaking symmetry)"
    )
    variant = "all weights equal; biases 0"
    deterministic = True

    value: float = hyper(0.1, "value of every weight", log_range=(1e-3, 1))

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return np.full((n_in, n_out), float(h.value))
