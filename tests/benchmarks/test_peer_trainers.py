"""The peers of the benchmark do the same work: as many updates, and as many evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optbench.engine.grid import grid_of
from optbench.engine.kernels.arguments import UPDATES, empty_record
from optbench.engine.loops.compiled import CompiledLoop
from optbench.engine.problem import build_problem
from optbench.registry import default_registry
from tests.benchmarks.peer_trainers import (
    Work,
    jax_trainer,
    optbench_trainer,
    stops_of,
    torch_trainer,
    work_with_curve,
)
from tests.engine.spec_factory import spec_of
from tests.support.packages import need

WORKLOADS: tuple[dict[str, Any], ...] = (
    {"regime": "sgd", "epochs": 1},
    {"batch_size": 32, "epochs": 3},
    {"batch_size": 200, "epochs": 1},
    {"regime": "batch", "epochs": 5},
)


def work_of(optimizer: str, workload: dict[str, Any]) -> Work:
    spec = spec_of(optimizer, dataset="wine", hidden=(8,), **workload)
    return work_with_curve(build_problem(spec, default_registry()))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_peers_are_evaluated_after_the_same_updates_as_a_run_of_optbench(
    workload: dict[str, Any],
) -> None:
    """The stops that the peers are given are those in the curve of the run."""
    spec = spec_of("adam", dataset="wine", hidden=(8,), **workload)
    problem = build_problem(spec, default_registry())
    points = np.concatenate([[0], grid_of(spec, problem.n_train)])
    loop = CompiledLoop(problem)
    record = empty_record(len(points), loop.evaluation_buffer())
    loop.measure(points, record)
    measured = record.table[: record.counts[0], UPDATES]
    assert stops_of(spec, problem.n_train) == tuple(measured.astype(int).tolist())
    assert measured[-1] == work_with_curve(problem).updates


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_peers_train_as_many_updates_as_optbench(optimizer: str, workload: dict[str, Any]) -> None:
    """Each trainer returns the updates of the run; that of PyTorch also checks its evaluations."""
    need("torch")
    work = work_of(optimizer, workload)
    assert optbench_trainer(work)() == work.updates
    assert torch_trainer(work, "foreach")() == work.updates


def test_jax_trains_as_many_updates_in_each_of_its_runs() -> None:
    """One run and several runs go through all updates, with a curve of all points."""
    need("jax")
    work = work_of("adam", WORKLOADS[1])
    assert jax_trainer(work, 1)() == work.updates
    assert jax_trainer(work, 3)() == 3 * work.updates
