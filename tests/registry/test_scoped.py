"""Objects that are passed where a name is expected: their names, values, code and faults."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import optbench
from optbench import DatasetSource, Initializer, Rule, hyper
from optbench.contracts import Array
from optbench.errors import ConfigError
from optbench.registry import default_registry
from optbench.registry.fingerprints import fingerprint
from optbench.registry.scoped import ScopedRegistry, kebab_case


def make_rule(class_name: str = "MyRule", **members: Any) -> Any:
    """A class as a notebook would define it: new at each call, and found in no module."""

    def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
        return (theta - h.lr * grad,)

    lr = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
    return type(class_name, (Rule,), {"lr": lr, "update": staticmethod(update), **members})


class Ones(Initializer):
    """Every weight is one."""

    def weight(self, rng: Any, n_in: int, n_out: int, h: Any) -> Array:
        return np.ones((n_in, n_out))


class Line(DatasetSource):
    """Points on a line."""

    task = "regression"

    def load(self) -> tuple[Array, Array]:
        x = np.linspace(0, 1, 50)[:, None]
        return x, x[:, 0]


def test_a_name_is_left_alone() -> None:
    """Whatever it spells is checked where it is looked up."""
    scope = ScopedRegistry()
    assert scope.optimizer_text("adam[lr=0.1]") == "adam[lr=0.1]"
    assert scope.initializer_text("he-normal") == "he-normal"
    assert scope.dataset_name("digits") == "digits"
    assert scope.passed == []


def test_a_class_is_known_by_its_name_or_that_of_the_class() -> None:
    """In this scope only."""
    scope = ScopedRegistry()
    assert scope.optimizer_text(make_rule()) == "my-rule"
    assert scope.optimizer_text(make_rule(name="named")) == "named"
    assert scope.initializer_text(Ones) == "ones"
    assert scope.dataset_name(Line) == "line"
    assert scope.optimizer("my-rule").name == "my-rule"
    assert {"my-rule", "named", "adam"} <= set(scope.entries("optimizers"))
    assert "my-rule" not in default_registry().entries("optimizers")
    with pytest.raises(ConfigError, match="unknown optimizer 'my-rule'"):
        default_registry().optimizer("my-rule")


def test_a_partial_fixes_values_by_name() -> None:
    """They are spelled in brackets; several may share a class."""
    scope, rule = ScopedRegistry(), make_rule()
    assert scope.optimizer_text(functools.partial(rule, lr=0.5)) == "my-rule[lr=0.5]"
    assert scope.optimizer_text(rule) == "my-rule"
    with pytest.raises(ConfigError, match="by name only"):
        scope.optimizer_text(functools.partial(rule, 0.5))


def test_a_registered_class_is_its_name() -> None:
    """Nothing is passed."""
    scope = ScopedRegistry()
    assert scope.optimizer_text(default_registry().optimizer("adam")) == "adam"
    assert scope.passed == []


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (make_rule, make_rule, "'my-rule': another object of that name is passed as well"),
        (lambda: make_rule("Adam"), None, "'adam': optbench registers another one; set `name`"),
        (lambda: make_rule(name="My Rule"), None, "names are kebab-case"),
        (lambda: make_rule(update=None, slots=3), None, "'my-rule' declares slots = 3"),
        (lambda: 3, None, "3 is not an optimizer; give a name, or a Rule or Stepper class"),
        (lambda: Ones, None, "no installed plugin adapts optimizers of"),
        (
            lambda: type("Own", (Decimal,), {"__module__": "mine"}),
            None,
            r"adapts optimizers of decimal \(is optbench-decimal installed\?\)",
        ),
        (lambda: Decimal(3), None, "pass the class Decimal, not an instance"),
        (lambda: lambda params: None, None, "of a class, functools.partial fixes values"),
    ],
)
def test_an_object_that_cannot_be_told_apart_or_run_is_refused(
    first: Callable[[], Any], second: Callable[[], Any] | None, message: str
) -> None:
    """In one line."""
    scope = ScopedRegistry()
    items = [make() for make in (first, second) if make is not None]
    with pytest.raises(ConfigError, match=message):
        list(map(scope.optimizer_text, items))


def test_a_trajectory_checks_the_declaration_too() -> None:
    """As a study does: the search range goes from high to low."""
    backwards = make_rule(lr=hyper(0.1, "learning rate", log_range=(1.0, 0.001)))
    for use in (
        lambda: optbench.trajectory(backwards, lambda x: (float(x @ x), 2 * x), np.ones(2), 1),
        lambda: ScopedRegistry().optimizer_text(backwards),
    ):
        with pytest.raises(ConfigError, match=r"declares lr = 0\.1 with the search range"):
            use()


def test_other_kinds_are_refused() -> None:
    """With what would be right."""
    with pytest.raises(ConfigError, match="class Line is not an initializer; give a name, or"):
        ScopedRegistry().initializer_text(Line)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"class Ones is not a dataset; .* a pair of arrays"):
        ScopedRegistry().dataset_name(Ones)  # type: ignore[arg-type]


def code_of(rule: type[Rule]) -> str:
    """The fingerprint of a rule that is passed."""
    scope = ScopedRegistry()
    return fingerprint(scope.optimizer(scope.optimizer_text(rule)))


def test_a_class_without_a_file_is_fingerprinted_by_its_code() -> None:
    """The same cell run again is the same code; a changed constant, helper or default is not."""
    namespace: dict[str, Any] = {"Rule": Rule, "hyper": hyper, "__name__": "__main__"}
    cell = """
def scale(x):
    return {factor} * x

OFFSET = {offset}

class Cell(Rule):
    lr: float = hyper({lr}, "learning rate", low=0)
    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * scale(grad) + OFFSET,)
"""

    def run(**numbers: float) -> Any:
        exec(cell.format(**{"factor": 1, "offset": 0, "lr": 0.1, **numbers}), namespace)
        return namespace["Cell"]

    first = code_of(run())
    assert code_of(run()) == first
    changed = {code_of(run(factor=2)), code_of(run(offset=1)), code_of(run(lr=0.2))}
    assert len(changed | {first}) == 4


def test_a_class_made_in_a_function_is_fingerprinted_with_what_it_encloses() -> None:
    """Two classes of one factory are not taken for each other."""

    def make(factor: float) -> type[Rule]:
        class Enclosing(Rule):
            """Scaled."""

            lr = hyper(0.1, "learning rate", low=0)

            @staticmethod
            def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
                return (theta - factor * h.lr * grad,)

        return Enclosing

    assert code_of(make(1)) == code_of(make(1)) != code_of(make(2))


@pytest.mark.parametrize(
    ("name", "kebab"), [("MyRule", "my-rule"), ("SGDPlus", "sgd-plus"), ("A", "a"), ("x_y", "x-y")]
)
def test_names_of_classes_become_kebab_case(name: str, kebab: str) -> None:
    """As the command line spells names."""
    assert kebab_case(name) == kebab
