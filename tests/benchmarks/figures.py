"""Figures that simulations measure, with their goals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: The figure.
        least, most: Goal.
        error: Monte Carlo error of the figure.
    """

    name: str
    value: float
    least: float = -math.inf
    most: float = math.inf
    error: float = 0.0

    @property
    def is_met(self) -> bool:
        """Whether the figure is within the goal and three Monte Carlo errors."""
        return self.least - 3 * self.error <= self.value <= self.most + 3 * self.error

    def __str__(self) -> str:
        goal = (
            f"at most {self.most:.3g}" if self.least == -math.inf else f"at least {self.least:.3g}"
        )
        if math.isfinite(self.least) and math.isfinite(self.most):
            goal = f"{self.least:.3g} to {self.most:.3g}"
        mark = "met" if self.is_met else "MISSED"
        return f"{self.name:<72} {self.value:7.3f} +- {self.error:.3f}   {goal:<16} {mark}"


def share(
    name: str, events: Sequence[bool], least: float = -math.inf, most: float = math.inf
) -> Figure:
    """Return the share of studies in which something happened."""
    mean = float(np.mean(events))
    expected = next(goal for goal in (most, least, mean) if math.isfinite(goal))
    error = math.sqrt(max(mean * (1 - mean), expected * (1 - expected)) / len(events))
    return Figure(name, mean, least, most, error)
