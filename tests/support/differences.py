"""A small smooth problem on which adapters are compared with the frameworks that they wrap."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from optbench import Array, StepContext, Stepper, train
from optbench.contracts import Values
from optbench.engine.loops.updates import Updater
from optbench.records import StepControl
from optbench.registry import default_registry
from optbench.schedules import factors

STEPS = 200
SHAPES = ((4, 3), (3,), (3, 2), (2,))
LAYERS = ((0, 1), (2, 3))
WEIGHTS = frozenset({0, 2})
CONTROLS = {
    "constant": StepControl(),
    "cosine": StepControl(schedule="cosine", final=0.1, warmup=0.1),
}
CASES = [("float64", "cosine"), ("float32", "constant")]
"""Dtypes and controls with which every optimizer of a framework is compared."""
if os.environ.get("OPTBENCH_HYPOTHESIS") == "deep":
    CASES = list(product(("float64", "float32"), CONTROLS))
TOLERANCES = {"float64": 1e-8, "float32": 2e-4}
"""Absolute difference of parameters of size 1; the frameworks round in another order."""
SEED = 3
_rng = np.random.default_rng(0)
START = [_rng.normal(size=shape) for shape in SHAPES]
_SCALE = [_rng.uniform(0.3, 2, size=shape) for shape in SHAPES]


def loss_and_grads(arrays: Sequence[Array]) -> tuple[float, list[Array]]:
    """Return the sum of sqrt(1 + (s x)^2) - 1, and its gradient in the dtype of the arrays."""
    loss, grads = 0.0, []
    for scale, x in zip(_SCALE, arrays, strict=True):
        square = (scale * x.astype(np.float64)) ** 2
        loss += float((square / (1 + np.sqrt(1 + square))).sum())
        grads.append((scale**2 * x / np.sqrt(1 + square)).astype(x.dtype))
    return loss, grads


def rate_factors(control: str) -> Array:
    """Return the factor on the learning rate at each step."""
    chosen = CONTROLS[control]
    return factors(default_registry().schedule(chosen.schedule), chosen, STEPS)


def adapted_path(
    cls: type[Stepper], dtype: str, control: str, steps: int = STEPS, **values: Any
) -> tuple[Array, Values]:
    """Return the parameters after each step of an adapted optimizer, and its hyperparameters."""
    chosen = CONTROLS[control]
    h = {key: declared.default for key, declared in cls.hypers().items()} | values
    params = [x.astype(dtype) for x in START]
    grads = [np.empty_like(p) for p in params]
    updater = Updater(
        cls, h, params, STEPS, chosen, np.random.default_rng(SEED), LAYERS,
        default_registry().schedule(chosen.schedule),
    )  # fmt: skip

    def evaluate() -> float:
        loss, values = loss_and_grads(params)
        for grad, value in zip(grads, values, strict=True):
            grad[...] = value
        return loss

    path = []
    for _ in range(steps):
        updater.step(grads, evaluate(), evaluate)
        path.append(np.concatenate([p.ravel() for p in params]))
    return np.array(path), Values(h)


def assert_same_path(ours: Array, theirs: Array, dtype: str) -> None:
    """Fail at the first step where two paths part."""
    difference = np.abs(ours - theirs).max(axis=1)
    parted = difference > TOLERANCES[dtype]
    assert not parted.any(), f"they part at step {parted.argmax() + 1} by {difference.max():.2g}"
    assert np.isfinite(ours).all()
    assert np.abs(ours[-1] - np.concatenate([x.ravel() for x in START])).max() > 1e-3


def check_linear_end(cls: type[Stepper], monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail unless a class with a line search ends with a linear schedule, within one update."""
    rates: list[float] = []
    step = cls.step

    def noting(self: Any, params: Any, grads: Any, state: Any, context: StepContext) -> Any:
        if context.t == 1:
            rates.clear()  # those of the rehearsal
        rates.append(float(context.h.lr))
        return step(self, params, grads, state, context)

    monkeypatch.setattr(cls, "step", noting)
    result = train(cls, dataset="iris", regime="batch", schedule="linear", epochs=200, lr=0.5)
    assert result.status == "ok", result.reason
    examples = result.curve["examples"]
    costliest = float(np.diff(examples).max()) / examples[-1]
    updates = int(result.final("updates"))
    assert len(rates) == updates < 200
    assert rates[-1] / 0.5 <= costliest + 2 / updates
