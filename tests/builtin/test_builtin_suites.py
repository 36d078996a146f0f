"""Promises of the built-in suites: what they compare is known, and stays comparable."""

from __future__ import annotations

import pytest

import optbench
from optbench.plan import build_plan
from optbench.registry import default_registry
from optbench.suites import Suite, known_targets, load_suite


def builtin_suite(name: str) -> Suite:
    """Return a built-in suite."""
    return load_suite(default_registry().entries("suites")[name].item)


@pytest.mark.parametrize("name", ["quick", "standard"])
def test_every_workload_has_frozen_losses(name: str) -> None:
    """Scores and times of two studies can be compared."""
    registry = default_registry()
    plan = build_plan(builtin_suite(name), registry)
    targets = known_targets(registry)
    missing = {(w.dataset, w.network) for w in plan.workloads} - targets.keys()
    assert not missing


def test_quick_trains_every_chosen_dataset_in_every_regime() -> None:
    """`optbench run -d NAME -r REGIME` is never empty."""
    from optbench.suites.overrides import change_suite

    for dataset in ("digits", "iris", "spirals"):
        workloads = list(change_suite(builtin_suite("quick"), {"datasets": [dataset]}).workloads())
        assert [w.regime for w in workloads] == ["batch", "mini-batch", "sgd"]


def test_tuning_on_mnist_1d_finds_the_rate_of_an_expert() -> None:
    """Adam gets about 0.003, at which it overfits in the end, and not a rate too low to do so."""
    study = optbench.compare(
        ["adam"], datasets="mnist-1d", regimes="mini-batch", hidden=(64,), batch_size=64,
        epochs=15, replicates=2, seeds=1, budget=8,
    )  # fmt: skip
    for cell in study.cells:
        assert cell.chosen is not None
        assert 1e-3 <= float(cell.chosen["lr"]) <= 2e-2
