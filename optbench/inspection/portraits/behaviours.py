"""Behavior on hard problems, each at the best of the rates that are tried, unless it says else."""

from __future__ import annotations

import math

import numpy as np

from optbench.contracts import Array
from optbench.inspection.portraits.subject import Problem, Subject, smooth_problem
from optbench.inspection.trajectories import ValueAndGrad

MOST_STEPS = 1000
"""Updates on the ill-conditioned problem."""
CONDITION = 100.0
"""Its condition number."""
SADDLE_STEPS, RAVINE_STEPS = 200, 500
RARE_EVERY = 20
"""A rare coordinate has a gradient at one of so many updates."""
BATCHES = (1, 16)
BAD_AT, BAD_FACTOR = 60, 1000.0
"""Update with a bad gradient, and its size in gradients of the start."""
RECOVERY_STEPS = 300
RATE_STEPS = 100


def valley_updates(subject: Subject) -> float:
    """Return the number of updates to a millionth of the value, at condition number 100.

    Gradient descent at the rate that is best in theory needs 320.
    """
    problem = _rotated_bowl(CONDITION)
    reached = (_first(values, 1e-6 * values[0]) for _, values in subject.paths(problem, MOST_STEPS))
    return min(reached, default=math.inf)


def saddle_updates(subject: Subject) -> float:
    """Return the number of updates to leave a saddle from a millionth beside its ridge."""

    def value(p: Array) -> float:
        return float(p[0] ** 2 / 2 - p[1] ** 2 / 2 + p[1] ** 4 / 4)

    def grad(p: Array) -> Array:
        return np.array([p[0], -p[1] + p[1] ** 3])

    problem = smooth_problem(np.array([1.0, 1e-6]), value, grad)
    return min((_first(v, -0.2) for _, v in subject.paths(problem, SADDLE_STEPS)), default=math.inf)


def ravine_value(subject: Subject) -> float:
    """Return the value of Rosenbrock's function after 500 updates; it is 24.2 at the start."""

    def value(p: Array) -> float:
        return float((1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2)

    def grad(p: Array) -> Array:
        slope = p[1] - p[0] ** 2
        return np.array([-2 * (1 - p[0]) - 400 * p[0] * slope, 200 * slope])

    problem = smooth_problem(np.array([-1.2, 1.0]), value, grad)
    last = RAVINE_STEPS // 4
    return min(
        (float(np.median(v[-last:])) for _, v in subject.paths(problem, RAVINE_STEPS)),
        default=math.inf,
    )


def rare_step(subject: Subject) -> float:
    """Return the step per gradient of a rare coordinate over that of a frequent one.

    On a linear loss, at the given or default rate. The rare coordinate has a gradient at one of 20
    updates.
    """

    def make() -> ValueAndGrad:
        calls = 0

        def value_and_grad(x: Array) -> tuple[float, Array]:
            nonlocal calls
            calls += 1
            grad = np.where(np.arange(x.size) % 2, 1.0, float(calls % RARE_EVERY == 0))
            return float(grad @ x), grad

        return value_and_grad

    steps = 20 * RARE_EVERY
    path = subject.path(Problem(np.ones(8), lambda x: float(x.sum()), make), steps)
    rare, frequent = np.abs(path[-1] - path[0])[:2]
    return float(rare * RARE_EVERY / frequent) if frequent and np.isfinite(rare) else 0.0


def noise_exponent(subject: Subject) -> float:
    """Return the exponent p with which the loss floor falls with the batch size, as B^-p.

    The floor is the mean value over the end of a path with normal noise of variance 1 / B, at the
    rate that is best for B = 1. Gradient descent has 1: sixteen times the batch, a sixteenth of the
    floor.
    """
    rate = subject.best_rate(_noisy_bowl(BATCHES[0]), 200)
    floors = []
    for batch in BATCHES:
        problem = _noisy_bowl(batch)
        floors.append(float(problem.values(subject.path(problem, 600, rate))[300:].mean()))
    if not all(math.isfinite(floor) and floor > 0 for floor in floors):
        return 0.0
    return math.log(floors[0] / floors[1]) / math.log(BATCHES[1] / BATCHES[0])


def rate_decades(subject: Subject) -> float:
    """Return over how many decades of the learning rate the value falls to a hundredth.

    NaN if the rate is given, or if there is none to try.
    """
    if len(subject.rates) < 2:
        return math.nan
    rates = [float(rate) for rate in subject.rates if rate is not None]
    spacing = math.log10(rates[1] / rates[0])
    works = [v[-1] <= 0.01 * v[0] for _, v in subject.paths(_rotated_bowl(10.0), RATE_STEPS)]
    return spacing * float(sum(works))


def recovery_updates(subject: Subject) -> float:
    """Return the number of updates to make up for one gradient, 1000 times that of the start.

    Infinite if 300 updates are not enough.
    """
    plain = _rotated_bowl(10.0)
    first = plain.make()(plain.start)[1]
    rate = subject.best_rate(plain, RATE_STEPS)

    def make() -> ValueAndGrad:
        calls = 0

        def value_and_grad(x: Array) -> tuple[float, Array]:
            nonlocal calls
            calls += 1
            value, grad = plain.make()(x)
            return value, BAD_FACTOR * first if calls == BAD_AT else grad

        return value_and_grad

    problem = Problem(plain.start, plain.value, make)
    values = problem.values(subject.path(problem, BAD_AT + RECOVERY_STEPS, rate))
    goal = max(values[BAD_AT - 1], 0.01 * values[0])
    above = np.flatnonzero(values > goal)
    late = above[above >= BAD_AT]
    if not len(late):
        return 0.0
    return math.inf if late[-1] == len(values) - 1 else float(late[-1] - BAD_AT + 1)


def _first(values: Array, goal: float) -> float:
    """Return the first update with a value at or below the goal; infinite if there is none."""
    updates = np.flatnonzero(values <= goal)
    return float(updates[0]) if len(updates) else math.inf


def _rotated_bowl(condition: float, size: int = 10) -> Problem:
    """Return half of x' A x; A has eigenvalues from 1 / condition to 1, and mixes coordinates."""
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(size, size)))[0]
    matrix = turn.T @ np.diag(np.geomspace(1 / condition, 1.0, size)) @ turn
    start = turn.T @ np.ones(size)
    return smooth_problem(start, lambda x: float(0.5 * x @ matrix @ x), lambda x: matrix @ x)


def _noisy_bowl(batch: int, size: int = 20) -> Problem:
    """Return half the sum of squares, with a gradient that is a mean over `batch` examples."""

    def make() -> ValueAndGrad:
        rng = np.random.default_rng(3)

        def value_and_grad(x: Array) -> tuple[float, Array]:
            return float(0.5 * x @ x), x + rng.normal(size=size) / math.sqrt(batch)

        return value_and_grad

    return Problem(np.ones(size), lambda x: float(0.5 * x @ x), make)
