"""Warm-up, stable, decay."""

import numpy as np

from optbench import Array, Schedule

STABLE = 0.8
"""Fraction of the run after the warm-up in which the learning rate stays."""


class WarmupStableDecay(Schedule):
    """A linear warm-up, a constant learning rate, and a linear decay over the last fifth.

    factor = 1 for s < 0.8, then 1 - (1 - final) (s - 0.8) / 0.2.
    """

    name = "wsd"
    source = "Hu et al. 2024, MiniCPM, section 4; Hägele et al. 2024 for the linear decay"
    url = "https://arxiv.org/abs/2404.06395"
    variant = "warm-up over a twentieth of the updates unless it is given; linear decay"
    warmup = 0.05

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return 1 - (1 - final) * np.maximum(s - STABLE, 0) / (1 - STABLE)
