"""Half a period of a cosine."""

import numpy as np

from optbench import Array, Schedule
from optbench_builtin.portable import cos


class Cosine(Schedule):
    """Half a period of a cosine from 1 to `final`.

    factor = final + (1 - final) (1 + cos(pi s)) / 2.
    """

    name = "cosine"
    source = "Loshchilov & Hutter 2017, SGDR: Stochastic gradient descent with warm restarts, eq. 5"
    url = "https://arxiv.org/abs/1608.03983"
    variant = "no restarts"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return final + (1 - final) * 0.5 * (1 + cos(np.pi * s))
