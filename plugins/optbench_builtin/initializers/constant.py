"""All weights one constant."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values, hyper


class Constant(Initializer):
    """W = value: every unit of a layer computes the same and learns the same."""

    name = "constant"
    source = (
        "Rumelhart, Hinton & Williams 1986, Learning internal representations by error "
        "propagation, p. 330 (the problem of breaking symmetry)"
    )
    variant = "every weight alike; biases 0"

    value: float = hyper(0.1, "every weight", log_range=(1e-3, 1))

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return np.full((n_in, n_out), float(h.value))
