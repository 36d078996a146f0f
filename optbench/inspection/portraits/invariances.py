"""Invariances: whether a change of units or of axes changes the path."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optbench.contracts import Array
from optbench.inspection.portraits.subject import Problem, Subject, smooth_problem

SHAPE = (6, 4)
"""Of the parameters: a matrix, so that methods for matrices treat it as one."""
STEPS = 40
LOSS_FACTOR, PARAMETER_FACTOR = 1000.0, 10.0


def loss_scale(subject: Subject) -> float:
    """Return how far the path moves if the loss, and so the gradient, is multiplied by 1000."""
    return _deviation(subject, _bowl(), _bowl(scale=LOSS_FACTOR), lambda points: points)


def parameter_scale(subject: Subject) -> float:
    """Return how far the path moves if the parameters are measured in units ten times as large."""
    other = _bowl(units=PARAMETER_FACTOR)
    return _deviation(subject, _bowl(), other, lambda points: PARAMETER_FACTOR * points)


def rotation(subject: Subject) -> float:
    """Return how far the path moves if the rows of the parameters are rotated."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(SHAPE[0], SHAPE[0])))[0]
    return _deviation(subject, _bowl(), _bowl(turn=turn), lambda points: turn @ points)


def _bowl(scale: float = 1.0, units: float = 1.0, turn: Array | None = None) -> Problem:
    """Return half the sum of scale c x^2 with x = units turn @ parameters, c from 0.1 to 1."""
    c = np.linspace(0.1, 1.0, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    turn = np.eye(SHAPE[0]) if turn is None else turn
    start = np.random.default_rng(0).uniform(0.5, 1.5, SHAPE)

    def value(p: Array) -> float:
        return float(scale * 0.5 * (c * (units * turn @ p) ** 2).sum())

    def grad(p: Array) -> Array:
        return scale * units * turn.T @ (c * (units * turn @ p))

    return smooth_problem(turn.T @ start / units, value, grad)


def _deviation(
    subject: Subject, plain: Problem, changed: Problem, back: Callable[[Array], Array]
) -> float:
    """Return the largest distance between two paths, relative to the way that is covered.

    Args:
        subject: The optimizer, at the same hyperparameters on both.
        plain: The problem.
        changed: The problem in other units or axes.
        back: Maps points of the changed problem to those of the plain one.
    """
    path = subject.path(plain, STEPS)
    with np.errstate(all="ignore"):
        other = back(subject.path(changed, STEPS))
        covered = np.abs(path - path[0]).max()
        distance = np.abs(path - other).max() / covered if covered else np.inf
    return float(distance) if np.isfinite(distance) else np.inf
