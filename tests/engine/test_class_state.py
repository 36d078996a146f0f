"""State that an optimizer keeps on its class, where other runs find it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

import optbench
from optbench import Array, Rule, StepContext, Stepper, hyper
from optbench.engine.class_state import changed_names, class_state
from optbench.engine.training import train_spec
from optbench.records import Status
from optbench.registry import default_registry
from tests.support.steppers import Stateless


class Descent(Stateless):
    """Gradient descent that calls `keep` after each step."""

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        for theta, grad in zip(params, grads, strict=True):
            theta -= context.h.lr * grad  # noqa: PLW2901
        self.keep(grads)

    def keep(self, grads: list[Array]) -> None:
        """Keep nothing."""


class Counts(Descent):
    """Counts steps of all runs."""

    name = "counts"
    steps: ClassVar[int] = 0

    def keep(self, grads: list[Array]) -> None:
        type(self).steps += 1


class Caches(Descent):
    """Keeps gradients in a dict that all runs share."""

    name = "caches"
    cache: ClassVar[dict[int, Array]] = {}

    def keep(self, grads: list[Array]) -> None:
        self.cache[0] = grads[0].copy()


class Library:
    """A class that another one wraps."""

    buffer: ClassVar[list[float]] = []


class Wraps(Descent):
    """Keeps the sum of a gradient on the class that it wraps."""

    name = "wraps"
    wrapped = Library

    def keep(self, grads: list[Array]) -> None:
        self.wrapped.buffer[:] = [float(grads[0].sum())]


class KeepsOnInstance(Descent):
    """Keeps gradients on the instance, which is another matter."""

    name = "keeps-on-instance"

    def keep(self, grads: list[Array]) -> None:
        self.last = grads


@pytest.mark.parametrize(
    ("optimizer", "attribute"),
    [(Counts, "steps"), (Caches, "cache"), (Wraps, "Library.buffer"), (KeepsOnInstance, "")],
)
def test_a_run_that_changes_the_class_of_its_optimizer_has_a_caution(
    optimizer: type[Stepper], attribute: str
) -> None:
    """It names the attribute and counts the runs; the numbers of the run stay as they are."""
    study = optbench.compare(
        [optimizer, "sgd"],
        datasets="iris",
        regimes="batch",
        epochs=2,
        seeds=2,
        replicates=1,
        ruleset="defaults",
        jobs=1,
    )
    cautions = [text for text in study.leaderboard.warnings if "optimizer's class" in text]
    start = f"{optimizer.name}: 2 runs changed {attribute} of the optimizer's class: a run may"
    assert [text[: len(start)] for text in cautions] == ([start] if attribute else [])
    assert {run.status for run in study.runs} == {Status.OK}


class Remembers(Rule):
    """Keeps the last gradient on the class, which cannot be compiled."""

    name = "remembers"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1.0))
    last: ClassVar[dict[str, Array]] = {}

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Any) -> tuple[Array]:
        last = Remembers.last.get("grad", grad)
        Remembers.last["grad"] = grad.copy()
        return (theta - h.lr * (last + grad if last.shape == grad.shape else grad),)


def test_a_rule_that_is_not_compiled_is_watched_too() -> None:
    """A formula that runs in Python can write to its class."""
    result = optbench.train(Remembers, dataset="iris", regime="batch", epochs=1)
    assert (result.loop, result.reason) == ("stepped", "changed last of the optimizer's class")
    for loop in ("reference", "stepped"):
        spec = optbench.train("adam", dataset="iris", regime="batch", epochs=1).spec
        assert train_spec(spec, loop=loop).reason == ""


def test_the_steppers_that_come_with_optbench_leave_their_classes_alone() -> None:
    """No run of them has a caution."""
    for name, entry in default_registry().entries("optimizers").items():
        if issubclass(entry.item, Stepper):
            result = optbench.train(name, dataset="iris", regime="batch", epochs=1)
            assert result.reason == "", name


def test_arrays_and_containers_are_compared_by_value() -> None:
    """Equal values in other objects are no change; one other element is."""

    class Holder:
        table = np.zeros(3)
        names: ClassVar[dict[str, list[int]]] = {"a": [1]}

    before = class_state(Holder)
    Holder.table, Holder.names = np.zeros(3), {"a": [1]}
    assert changed_names(before, class_state(Holder)) == []
    Holder.names["a"].append(2)
    Holder.table[1] = 1
    Holder.more = 1  # type: ignore[attr-defined]
    assert changed_names(before, class_state(Holder)) == ["more", "names", "table"]
