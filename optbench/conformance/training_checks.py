"""Checks that train a small network through the engine, as a study does."""

from __future__ import annotations

from typing import Any

import numpy as np

from optbench.conformance.kit import OPTIMIZERS, check, require
from optbench.contracts import Array, DatasetSource, Initializer, Optimizer, Schedule, Values
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.engine.training import train_spec
from optbench.records import REGIMES, RunResult, Status, StepControl
from optbench.registry import Registry
from optbench.registry.hookspecs import hookimpl


class Points(DatasetSource):
    """Sixty points of three classes, only for the checks."""

    name = "conformance-points"
    task = "multiclass"
    source = "generated, seed 0"

    def load(self) -> tuple[Array, Array]:
        """Return points (60, 4) and their class."""
        rng = np.random.default_rng(0)
        labels = np.arange(60) % 3
        return rng.normal(size=(60, 4)) + labels[:, None], labels


class Weights(Initializer):
    """Normal weights of variance 1 / n_in, only for the checks."""

    name = "conformance-weights"
    source = "LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, eq. 16"
    variant = "normal, fan-in"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        """Draw W ~ N(0, 1 / n_in)."""
        return rng.normal(0.0, n_in**-0.5, (n_in, n_out))


class Unchanged(Schedule):
    """A constant learning rate, under the name of the default schedule."""

    name = StepControl().schedule
    source = "common practice"
    variant = "no warm-up"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        """Return 1 for every update."""
        return np.ones_like(s)


class _Bench:
    """A plugin with the optimizer under check, and with everything that a run needs."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    @hookimpl
    def optbench_register_optimizers(self) -> list[Any]:
        return [self._optimizer]

    @hookimpl
    def optbench_register_initializers(self) -> list[Any]:
        return [Weights]

    @hookimpl
    def optbench_register_datasets(self) -> list[Any]:
        return [Points]

    @hookimpl
    def optbench_register_schedules(self) -> list[Any]:
        return [Unchanged]


def train_once(
    optimizer: Optimizer, regime: str = "", loop: str = "auto", dtype: str = "float64"
) -> RunResult:
    """Train a 4-6-5-3 network for three epochs in a registry of its own."""
    registry = Registry()
    registry.register(_Bench(optimizer))
    workload = make_workload(
        dataset=Points.name,
        initializer=Weights.name,
        hidden=(6, 5),
        activation="tanh",
        regime=regime or regimes_of(optimizer)[0],
        batch_size=8,
        epochs=3,
        registry=registry,
    )
    spec = make_spec(
        entrant=make_entrant(optimizer, registry=registry),
        workload=workload,
        dtype=dtype,
        grid_points=4,
        registry=registry,
    )
    return train_spec(spec, registry, loop)


def regimes_of(optimizer: Optimizer) -> tuple[str, ...]:
    """Return the regimes in which an optimizer is defined, mini-batch first."""
    if "full-batch" in optimizer.needs:
        return ("batch",)
    return tuple(sorted(REGIMES, key="mini-batch".__ne__))


@check(OPTIMIZERS)
def check_trains_in_every_regime(item: Optimizer) -> None:
    """It trains a network in every regime and dtype without an error."""
    for regime in regimes_of(item):
        for dtype in ("float32", "float64"):
            result = train_once(item, regime, dtype=dtype)
            require(
                result.status is not Status.FAILED,
                f"in {regime} and {dtype} training failed: {result.reason}",
            )
            require(
                result.status is Status.OK,
                f"in {regime} and {dtype} it diverged with its defaults: {result.reason}",
            )


@check(OPTIMIZERS)
def check_same_run_same_bits(item: Optimizer) -> None:
    """Training the same run twice gives the same weights, to the last bit."""
    first, second = train_once(item), train_once(item)
    require(first.status is not Status.FAILED, f"training failed: {first.reason}")
    require(
        first.params_hash == second.params_hash != "",
        f"two trainings of one run end in different weights ({first.reason or 'both finished'})",
    )
