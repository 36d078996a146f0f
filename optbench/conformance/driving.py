"""Small problems, and optimizers that take steps on them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from optbench.conformance.kit import CheckFailedError, require
from optbench.conformance.metadata_checks import search_ends
from optbench.contracts import Array, Hyper, Optimizer, Rule, Value
from optbench.engine.loops.updates import Updater
from optbench.hyperparameters import complete

Arrays = Sequence[Array]
Problem = Callable[[Arrays], tuple[float, list[Array]]]

SHAPES = ((4, 3), (3,))
"""A weight and its bias, so that methods treat a matrix and a vector."""


def starting_point(dtype: str = "float64", seed: int = 0) -> list[Array]:
    """Return the same point at every call; none of its numbers is 0."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, shape).astype(dtype) for shape in SHAPES]


def quadratic(params: Arrays) -> tuple[float, list[Array]]:
    """Return half the sum of c (x + 1)^2, with curvatures c from 0.2 to 1, and its gradients.

    The minimum, 0, is at -1.
    """
    loss, grads = 0.0, []
    for x in params:
        c = np.linspace(0.2, 1.0, x.size).reshape(x.shape).astype(x.dtype)
        loss += float(0.5 * (c * (x + 1) ** 2).sum())
        grads.append(c * (x + 1))
    return loss, grads


def noisy_quadratic() -> Problem:
    """Return the quadratic with normal noise of deviation 1 on the gradient, drawn at each call."""
    rng = np.random.default_rng(0)

    def problem(params: Arrays) -> tuple[float, list[Array]]:
        loss, grads = quadratic(params)
        return loss, [g + rng.normal(size=g.shape).astype(g.dtype) for g in grads]

    return problem


def slope(scale: float) -> Problem:
    """Return a linear problem: a gradient with fixed signs and elements of size `scale`."""

    def problem(params: Arrays) -> tuple[float, list[Array]]:
        signs = [np.where(np.arange(x.size) % 2, -1, 1).reshape(x.shape) for x in params]
        grads = [(scale * s).astype(x.dtype) for s, x in zip(signs, params, strict=True)]
        return sum(float((g * x).sum()) for g, x in zip(grads, params, strict=True)), grads

    return problem


class Journey:
    """An optimizer that takes steps on a problem.

    Args:
        optimizer: Rule or Stepper class.
        problem: Maps the parameters to loss and gradients.
        hyper: Hyperparameters other than the defaults.
        dtype: Dtype of the parameters.
        total: Number of updates that the optimizer is promised.
        seed: Seed of the optimizer's own random stream.
        start: Starting point; by default that of `starting_point`.

    Attributes:
        params: The current parameters.
        grads: The gradients of the last evaluation.
        updater: Applies the optimizer.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        problem: Problem = quadratic,
        *,
        hyper: Mapping[str, Value] | None = None,
        dtype: str = "float64",
        total: int = 100,
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
            rng=np.random.default_rng(0),
            layers=[(0, 1)],
        )

    def evaluate(self) -> float:
        """Return the loss at the current parameters, and write the gradients into `grads`."""
        loss, grads = self._problem(self.params)
        for buffer, grad in zip(self.grads, grads, strict=True):
            buffer[...] = grad
        return loss

    def walk(self, steps: int) -> Journey:
        """Take a number of steps."""
        for _ in range(steps):
            self.updater.step(self.grads, self.evaluate(), self.evaluate)
        return self

    @property
    def point(self) -> list[Array]:
        """Copies of the arrays at which the network would be evaluated."""
        return [np.array(p) for p in self.updater.eval_params()]

    @property
    def loss(self) -> float:
        """Loss at `point`."""
        return self._problem(self.point)[0]


def require_movement(item: Optimizer) -> None:
    """Fail the check if an array keeps its values although its gradient is not 0."""
    journey = Journey(item).walk(3)
    cure = (
        "`update` returns the new theta first; a state that its step needs may have stayed 0"
        if issubclass(item, Rule)
        else "`step` changes params in place"
    )
    for index, (start, param) in enumerate(zip(starting_point(), journey.params, strict=True)):
        require(
            not np.array_equal(start, param),
            f"array {index} of shape {start.shape} does not move; {cure}",
        )


@contextmanager
def movement_blamed(item: Optimizer) -> Iterator[None]:
    """If the check in the block fails, say that nothing moves where that is the cause."""
    try:
        yield
    except CheckFailedError:
        require_movement(item)
        raise


def same_bits(a: Arrays, b: Arrays) -> bool:
    """Return whether two lists of arrays are equal to the last bit, NaN included."""
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def all_finite(arrays: Arrays) -> bool:
    """Return whether no number is infinite or NaN."""
    return all(bool(np.isfinite(x).all()) for x in arrays)


def other_values(declared: Hyper) -> list[Value]:
    """Return allowed values other than the default, the one nearest to it first.

    Args:
        declared: The hyperparameter.

    Returns:
        Every other choice, the other truth value, or numbers near the default, the ends of the
        search range and 0; empty if there are none.
    """
    default = declared.default
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, str):
        return [choice for choice in declared.choices if choice != default]
    step = 1 if isinstance(default, int) else abs(default) / 2 or 0.1
    numbers = [default + step, default - step]
    numbers += search_ends(declared) if declared.search is not None else []
    numbers.append(type(default)(0))
    return [x for x in numbers if declared.low <= x <= declared.high and x != default]


def without_decay(optimizer: Optimizer) -> dict[str, Value]:
    """Return hyperparameters that switch off weight decay, which moves weights by itself."""
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
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  (compared, not drawn from)
    return kind, np.asarray(keys).tobytes(), *rest, random.getstate()


@contextmanager
def read_only(arrays: Arrays, description: str) -> Iterator[None]:
    """Fail the check if the block writes to any of the arrays."""
    for array in arrays:
        array.setflags(write=False)
    try:
        yield
    except ValueError as problem:
        if "read-only" not in str(problem):
            raise
        raise CheckFailedError(f"it writes to {description}, which it may only read") from problem
    finally:
        for array in arrays:
            array.setflags(write=True)
