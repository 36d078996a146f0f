"""The test part at the evaluation with the lowest validation loss, against a direct computation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optbench.engine.grid import grid_of
from optbench.engine.loops.choice import make_loop
from optbench.engine.problem import build_problem
from optbench.engine.training import train_problem
from optbench.network import unpack
from optbench.records import RunSpec, Status
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of

CASES = [
    ("adam", "wine", 0.05, "compiled"),  # overfits: the best point lies in the middle
    ("adam", "diabetes", 0.02, "compiled"),
    ("adam", "wine", 0.05, "stepped"),
    ("adam", "wine", 0.05, "reference"),
    ("schedule-free-sgd", "diabetes", 0.01, "stepped"),  # is evaluated where it does not train
    ("sgd", "iris", 1e-4, "compiled"),  # the best point is the last
]


def overfitting_spec(optimizer: str, dataset: str, lr: float) -> RunSpec:
    """Return a run in float64 whose validation loss rises again if the rate is high enough."""
    return spec_of(
        f"{optimizer}[lr={lr}]", dataset=dataset, epochs=30, dtype="float64", grid_points=20
    )


@pytest.mark.parametrize(("optimizer", "dataset", "lr", "kind"), CASES)
def test_the_best_point_is_the_one_that_a_direct_computation_finds(
    optimizer: str, dataset: str, lr: float, kind: str
) -> None:
    """Every grid point is trained to, evaluated in NumPy, and the first lowest one tested."""
    spec = overfitting_spec(optimizer, dataset, lr)
    problem = build_problem(spec, default_registry())
    network, loop = problem.network, make_loop(problem, kind)
    losses: list[float] = []
    tests: list[tuple[float, float]] = []
    for examples in (0, *grid_of(spec, problem.n_train)):
        if examples > loop.examples or not losses:
            loop.advance(int(examples))
            params = unpack(loop.evaluation_buffer().copy(), network.sizes)
            losses.append(network.evaluate(params, *problem.val)[0])
            tests.append(network.evaluate(params, *problem.test))
    result = train_problem(problem, kind)
    best = int(np.argmin(losses))
    assert result.best_row == best
    assert result.best("val_loss") == pytest.approx(losses[best], rel=1e-9)
    assert (result.best_test_loss, result.best_test_metric) == pytest.approx(tests[best], rel=1e-9)
    assert (result.test_loss, result.test_metric) == pytest.approx(tests[-1], rel=1e-9)
    if optimizer == "adam":
        assert 0 < best < len(losses) - 1


def test_an_untrained_network_can_be_the_best() -> None:
    """Steps so large that the loss only rises, without diverging."""
    spec = spec_of("sgd[lr=-0.0]", dataset="iris", epochs=2)
    result = train_problem(build_problem(spec, default_registry()))
    assert result.status is Status.OK
    assert result.best_row == 0
    assert result.best_test_loss == result.test_loss


@pytest.mark.parametrize("kind", ["compiled", "stepped"])
def test_a_diverged_run_has_no_best_test_loss(kind: str) -> None:
    """Whatever it had reached before: a lost run is lost."""
    spec = spec_of("sgd[lr=1e6]", dataset="wine", epochs=5)
    result = train_problem(build_problem(spec, default_registry()), kind)
    assert result.status is Status.DIVERGED
    assert math.isnan(result.best_test_loss)
    assert math.isnan(result.best_test_metric)
    assert math.isfinite(result.guess_test_loss)
