"""The benchmark of steppers measures all of them, and the same updates in each column."""

from __future__ import annotations

import pytest

from optbench import Rule
from optbench.registry import default_registry
from tests.benchmarks.stepper_costs import (
    gradient_maker,
    harness_maker,
    one_of_each,
    problem_of,
    stepped_optimizers,
)


def test_every_optimizer_that_is_no_rule_is_measured() -> None:
    """A new one needs no line in the script."""
    entries = default_registry().entries("optimizers")
    others = {name for name, entry in entries.items() if not issubclass(entry.item, Rule)}
    assert others
    assert others <= set(stepped_optimizers(default_registry()))


@pytest.mark.parametrize("full_batch", [False, True])
def test_the_gradient_alone_is_computed_as_often_as_in_the_updates(full_batch: bool) -> None:
    """Otherwise the share of the gradient would be that of another training."""
    found = stepped_optimizers(default_registry()).items()
    name, optimizer = next(
        (name, item) for name, item in found if ("full-batch" in item.needs) == full_batch
    )
    problem, costs = problem_of(name, optimizer, epochs=2), list[float]()
    updates = harness_maker(problem, costs)()()
    assert gradient_maker(problem)()() == problem.total_updates
    assert updates * costs[0] >= problem.total_updates
    assert costs[0] >= 1


def test_one_optimizer_of_each_library_starts_a_worker() -> None:
    """The libraries are known by the names, whose order is that of the registry."""
    names = ["muon", "soap", "torch:adam", "torch:sgd", "optax:adam"]
    expected = {"built-in": "muon", "torch": "torch:adam", "optax": "optax:adam"}
    assert one_of_each(names) == expected
