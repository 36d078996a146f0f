"""Three spirals."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource


class Spirals(DatasetSource):
    """1,500 points on three interleaved spirals with noise, three classes."""

    name = "spirals"
    task = "multiclass"
    source = "generated: radius r in [0.05, 1], angle 2 pi arm / 3 + 4 r, noise 0.15 rad, seed 0"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return points (1500, 2) and the arm."""
        rng = np.random.default_rng(0)
        arm = np.repeat(np.arange(3), 500)
        radius = rng.uniform(0.05, 1.0, arm.size)
        angle = 2 * np.pi * arm / 3 + 4 * radius + rng.normal(0.0, 0.15, arm.size)
        return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), arm
