"""No change."""

import numpy as np

from optbench import Array, Schedule


class Constant(Schedule):
    """The same learning rate all along.

    factor = 1.
    """

    name = "constant"
    source = "common practice"
    variant = "no warm-up unless one is given; `final` has no effect"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return np.ones_like(s)
