"""Up, then down."""

import numpy as np

from optbench import Array, Schedule
from optbench_builtin.portable import cos
from optbench_builtin.schedules.cosine import Cosine

RISE = 0.3
"""Fraction of the run in which the learning rate rises."""
START = 1 / 25
"""Factor at the start."""


class OneCycle(Schedule):
    """A cosine from 1/25 up to 1 over the first 30 % of the run, and another down to `final`."""

    name = "one-cycle"
    source = "Smith & Topin 2018, Super-convergence: very fast training using large learning rates"
    url = "https://arxiv.org/abs/1708.07120"
    variant = "two cosines, as in PyTorch's OneCycleLR; the momentum is not cycled"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        rising = START + (1 - START) * 0.5 * (1 - cos(np.pi * s / RISE))
        return np.where(s < RISE, rising, Cosine.factor((s - RISE) / (1 - RISE), final))
