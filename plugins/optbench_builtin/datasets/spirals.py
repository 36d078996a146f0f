"""Interleaved spirals."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper
from optbench_builtin.portable import cos, sin


class Spirals(DatasetSource):
    """Points on interleaved spirals with noise, one class for each arm."""

    name = "spirals"
    task = "multiclass"
    source = "generated: radius r in [0.05, 1], angle 2 pi arm / arms + turn r"
    cached = True
    n: int = hyper(1500, "number of points", low=50, high=100_000)
    arms: int = hyper(3, "number of spirals", low=2, high=10)
    turn: float = hyper(4.0, "angle by which an arm turns, in radians", low=0, high=100)
    noise: float = hyper(0.15, "standard deviation of the angle, in radians", low=0, high=10)
    seed: int = hyper(0, "seed of the points", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return points (n, 2) and the arm."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        arm = np.arange(h.n) * h.arms // h.n
        radius = rng.uniform(0.05, 1.0, h.n)
        angle = 2 * np.pi * arm / h.arms + h.turn * radius + rng.normal(0.0, h.noise, h.n)
        return np.column_stack([radius * cos(angle), radius * sin(angle)]), arm
