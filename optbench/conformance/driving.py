"""Small problems that the checks lead an optimizer over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from optbench.conformance.kit import CheckFailedError, require
from optbench.contracts import Array, Optimizer, Value
from optbench.engine.loops.updates import Updater
from optbench.hyperparameters import complete

Arrays = Sequence[Array]
Problem = Callable[[Arrays], tuple[float, list[Array]]]

SHAPES = ((4, 3), (3,))
"""A weight and its bias, so that methods for matrices and for vectors both have work."""


def starting_point(dtype: str = "float64", seed: int = 0) -> list[Array]:
    """The same point at every call; none of its numbers is 0."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, shape).astype(dtype) for shape in SHAPES]


def quadratic(params: Arrays) -> tuple[float, list[Array]]:
    """Half the sum of c (x + 1)^2 with curvatures c from 0.2 to 1; the minimum, 0, is at -1."""
    loss, grads = 0.0, []
    for x in params:
        c = np.linspace(0.2, 1.0, x.size).reshape(x.shape).astype(x.dtype)
        loss += float(0.5 * (c * (x + 1) ** 2).sum())
        grads.append(c * (x + 1))
    return loss, grads


def noisy_quadratic(seed: int = 0) -> Problem:
    """The quadratic with normal noise of size 1 on the gradient, another at each call."""
    rng = np.random.default_rng(seed)

    def problem(params: Arrays) -> tuple[float, list[Array]]:
        loss, grads = quadratic(params)
        return loss, [g + rng.normal(size=g.shape).astype(g.dtype) for g in grads]

    return problem


def slope(scale: float) -> Problem:
    """A gradient of fixed signs and of size `scale`, whatever the point."""

    def problem(params: Arrays) -> tuple[float, list[Array]]:
        signs = [np.where(np.arange(x.size) % 2, -1, 1).reshape(x.shape) for x in params]
        grads = [(scale * s).astype(x.dtype) for s, x in zip(signs, params, strict=True)]
        return sum(float((g * x).sum()) for g, x in zip(grads, params, strict=True)), grads

    return problem


class Journey:
    """An optimizer on its way over a problem.

    Args:
        optimizer: Rule or Stepper class.
        problem: maps the parameters to loss and gradients.
        hyper: hyperparameters other than the defaults.
        dtype: of the parameters.
        total: updates that the optimizer is told the run has.
        seed: of the optimizer's own random stream.
        start: where it starts; by default `starting_point`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        problem: Problem = quadratic,
        *,
        hyper: Mapping[str, Value] | None = None,
        dtype: str = "float64",
        total: int = 100,
        seed: int = 0,
        start: Arrays | None = None,
    ) -> None:
        self._problem = problem
        self.params = [np.array(p) for p in start or starting_point(dtype)]
        self.grads = [np.zeros_like(p) for p in self.params]
        self.updater = Updater(
            optimizer,
            complete(optimizer, hyper or {}),
            self.params,
            total,
            rng=np.random.default_rng(seed),
            layers=[(0, 1)],
        )

    def evaluate(self) -> float:
        """The loss where it stands; its gradients go into `grads`."""
        loss, grads = self._problem(self.params)
        for buffer, grad in zip(self.grads, grads, strict=True):
            buffer[...] = grad
        return loss

    def walk(self, steps: int) -> Journey:
        """Take so many steps."""
        for _ in range(steps):
            self.updater.step(self.grads, self.evaluate(), self.evaluate)
        return self

    @property
    def here(self) -> list[Array]:
        """Copies of the arrays at which the network would be evaluated."""
        return [np.array(p) for p in self.updater.eval_params()]

    @property
    def loss(self) -> float:
        """The loss there."""
        return self._problem(self.here)[0]


def same_bits(a: Arrays, b: Arrays) -> bool:
    """Whether two lists of arrays are equal to the last bit, NaN included."""
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def finite(arrays: Arrays) -> bool:
    """Whether no number is infinite or NaN."""
    return all(bool(np.isfinite(x).all()) for x in arrays)


def without_decay(optimizer: Optimizer) -> dict[str, Value]:
    """Hyperparameters that switch weight decay off, which moves weights by itself."""
    return {name: 0.0 for name in optimizer.hypers() if name == "weight_decay"}


@contextmanager
def random_state_untouched() -> Iterator[None]:
    """Fail the check if the block draws from a random state that the whole process shares."""
    before = _global_state()
    try:
        yield
    finally:
        touched = _global_state() != before
    require(
        not touched,
        "it draws from the global random state; use the generator it is given, or one of its own",
    )


def _global_state() -> tuple[Any, ...]:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  (looked at, not drawn from)
    return kind, np.asarray(keys).tobytes(), *rest, random.getstate()


@contextmanager
def read_only(arrays: Arrays, what: str) -> Iterator[None]:
    """Fail the check if the block writes to any of the arrays."""
    for array in arrays:
        array.setflags(write=False)
    try:
        yield
    except ValueError as problem:
        if "read-only" not in str(problem):
            raise
        raise CheckFailedError(f"it writes to {what}, which it may only read") from problem
    finally:
        for array in arrays:
            array.setflags(write=True)
