"""Learning-rate schedules, which combine with any optimizer that has an ``lr``.

A schedule is the factor on ``lr`` at each of the run's updates.
"""

from __future__ import annotations

import numpy as np

from optbench.contracts import Array
from optbench.records import StepControl

STEP_AT = (0.5, 0.75)
"""Where in the run ``step`` divides the learning rate."""
STEP_FACTOR = 0.1
EXPONENTIAL_FINAL = 0.01
"""Where ``exponential`` ends when no ``final`` is given; it cannot end at 0."""
ONE_CYCLE_RISE = 0.3
"""Fraction of a ``one-cycle`` run spent rising."""
ONE_CYCLE_START = 1 / 25


def _constant(s: Array, final: float) -> Array:
    return np.ones_like(s)


def _step(s: Array, final: float) -> Array:
    return STEP_FACTOR ** np.searchsorted(STEP_AT, s, side="right").astype(np.float64)


def _exponential(s: Array, final: float) -> Array:
    return (final or EXPONENTIAL_FINAL) ** s


def _linear(s: Array, final: float) -> Array:
    return 1 - (1 - final) * s


def _cosine(s: Array, final: float) -> Array:
    return final + (1 - final) * 0.5 * (1 + np.cos(np.pi * s))


def _one_cycle(s: Array, final: float) -> Array:
    rising = ONE_CYCLE_START + (1 - ONE_CYCLE_START) * 0.5 * (
        1 - np.cos(np.pi * s / ONE_CYCLE_RISE)
    )
    return np.where(
        s < ONE_CYCLE_RISE, rising, _cosine((s - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE), final)
    )


SCHEDULES = {
    "constant": _constant,
    "step": _step,
    "exponential": _exponential,
    "linear": _linear,
    "cosine": _cosine,
    "linear-warmup": _constant,
    "one-cycle": _one_cycle,
}
"""Shape of each schedule over the run, s in [0, 1): factor(s, final)."""

DEFAULT_WARMUP = {"linear-warmup": 0.1}


def factors(control: StepControl, total_steps: int) -> Array:
    """The factor on the learning rate at each update.

    Args:
        control: its ``schedule``, ``warmup`` and ``final`` are used.
        total_steps: number of updates in the run.

    Returns:
        float64, shape (total_steps,), each in [0, 1].

    Example:
        >>> factors(StepControl(schedule="linear"), 4).tolist()
        [1.0, 0.75, 0.5, 0.25]
    """
    warmup = control.warmup or DEFAULT_WARMUP.get(control.schedule, 0.0)
    rising = round(warmup * total_steps)
    steps = np.arange(total_steps)
    after = np.maximum(steps - rising, 0) / max(total_steps - rising, 1)
    shape = np.asarray(SCHEDULES[control.schedule](after, control.final), dtype=np.float64)
    if rising:
        shape = shape * np.minimum((steps + 1) / rising, 1.0)
    return shape
