"""Constant after a warm-up."""

import numpy as np

from optbench import Array, Schedule


class LinearWarmup(Schedule):
    """A linear rise over the first tenth of the run, then constant.

    factor = 1 after the warm-up.
    """

    name = "linear-warmup"
    source = "Goyal et al. 2017, Accurate, large minibatch SGD, section 2.2 (gradual warm-up)"
    url = "https://arxiv.org/abs/1706.02677"
    variant = "warm-up over a tenth of the updates unless it is given; `final` has no effect"
    warmup = 0.1

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return np.ones_like(s)
