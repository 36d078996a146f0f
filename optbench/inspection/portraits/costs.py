"""What an optimizer costs: memory for its state, and time for an update."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from optbench.engine.loops.updates import Updater
from optbench.engine.training import train
from optbench.hyperparameters import complete, split_control
from optbench.inspection.portraits.subject import Subject
from optbench.suites.defaults import default_dataset

SHAPE = (40, 30)
"""Of the parameters whose state is counted."""
STEPS = 15
"""Updates before it is counted, more than the histories of usual methods have."""
EPOCHS, BATCH_SIZE = 5, 32
REPEATS = 3


def state_arrays(subject: Subject) -> float:
    """Return the size of the state, in arrays of the size of the parameters.

    Counted are all arrays that the optimizer can reach after 15 updates, of NumPy, PyTorch or
    JAX, except the parameters and gradients that it was given.
    """
    rng = np.random.default_rng(0)
    curvature = np.linspace(0.2, 1.0, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    params, grads = [rng.normal(size=SHAPE)], [np.empty(SHAPE)]
    own, _ = split_control(subject.optimizer, subject.values)
    updater = Updater(subject.optimizer, complete(subject.optimizer, own), params, STEPS, rng=rng)

    def evaluate() -> float:
        grads[0][...] = curvature * params[0]
        return float(0.5 * (curvature * params[0] ** 2).sum())

    for _ in range(STEPS):
        updater.step(grads, evaluate(), evaluate)
    given = {_address(array) for array in (*params, *grads)}
    sizes = {_address(array): math.prod(array.shape) for array in _arrays(updater.state, set())}
    total = sum(size for address, size in sizes.items() if address not in given)
    return float(total / params[0].size)


def update_microseconds(subject: Subject) -> float:
    """Return the time of an update in training, in microseconds; NaN if it needs full batches.

    Measured on a 64-32-32-10 network in mini-batches of 32, the gradient included; the fastest of
    three runs, after one that compiles.
    """
    if "full-batch" in subject.optimizer.needs:
        return math.nan
    fastest = math.inf
    for _ in range(1 + REPEATS):
        result = train(
            subject.label,
            dataset=default_dataset(),
            epochs=EPOCHS,
            batch_size=BATCH_SIZE,
            grid_points=2,
        )
        updates = max(result.grad_evals, 1)
        fastest = min(fastest, 1e6 * result.seconds / updates)
    return fastest


def _arrays(item: Any, seen: set[int]) -> Iterator[Any]:
    """Yield every array that can be reached from an object through containers and attributes."""
    if id(item) in seen or isinstance(item, type | str | bytes | int | float | bool | None):
        return
    seen.add(id(item))
    if hasattr(item, "shape") and hasattr(item, "nbytes"):
        if math.prod(item.shape):
            yield item
    elif isinstance(item, Mapping):
        for pair in list(item.items()):
            for part in pair:
                yield from _arrays(part, seen)
    elif isinstance(item, list | tuple | set | frozenset):
        for part in list(item):
            yield from _arrays(part, seen)
    else:
        yield from _arrays(getattr(item, "__dict__", None), seen)


def _address(array: Any) -> int:
    """Return the address of the data of an array."""
    if hasattr(array, "data_ptr"):
        return int(array.data_ptr())
    if isinstance(array, np.ndarray):
        return int(array.__array_interface__["data"][0])
    return id(array)
