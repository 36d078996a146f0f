"""Real runs of registered plugins, from names."""

from __future__ import annotations

from typing import Any

from optbench.contracts import Optimizer
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.records import RunSpec
from optbench.registry import Registry


def spec_of(
    optimizer: str | Optimizer = "sgd",
    *,
    seed: int = 0,
    dtype: str = "float32",
    grid_points: int = 40,
    registry: Registry | None = None,
    **workload: Any,
) -> RunSpec:
    """Return the run of an optimizer on a workload.

    Args:
        optimizer: Spelling or class.
        seed: Seed of the run.
        dtype: Type of its numbers.
        grid_points: Evaluations along it.
        registry: Where names are looked up; the default one if None.
        **workload: Arguments of `make_workload`; iris if no dataset is named.
    """
    return make_spec(
        entrant=make_entrant(optimizer, registry=registry),
        workload=make_workload(**{"dataset": "iris", **workload}, registry=registry),
        seed=seed,
        dtype=dtype,
        grid_points=grid_points,
        registry=registry,
    )
