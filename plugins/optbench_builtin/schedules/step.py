"""Division by ten, twice."""

import numpy as np

from optbench import Array, Schedule

DROPS = (0.5, 0.75)
"""Fractions of the run at which the learning rate drops."""
DROP_FACTOR = 0.1


class Step(Schedule):
    """A tenth of the learning rate after half of the run, a hundredth after three quarters.

    factor = 0.1^(number of drops passed).
    """

    name = "step"
    source = "He et al. 2016, Deep residual learning for image recognition, section 4.2 (CIFAR-10)"
    url = "https://arxiv.org/abs/1512.03385"
    variant = "drops at 1/2 and 3/4 of the updates after the warm-up; `final` has no effect"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return DROP_FACTOR ** np.searchsorted(DROPS, s, side="right").astype(np.float64)
