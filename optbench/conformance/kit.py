"""The checks: how they are registered, and which of them apply to a plugin class."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from optbench.contracts import DatasetSource, Initializer, Rule, Schedule, Stepper
from optbench.errors import PluginError

Kind = Literal["rule", "stepper", "initializer", "dataset", "schedule"]
OPTIMIZERS: tuple[Kind, ...] = ("rule", "stepper")
PLUGINS: tuple[Kind, ...] = ("rule", "stepper", "initializer", "schedule")
"""Kinds of classes that derive from `Plugin`."""
EVERYTHING: tuple[Kind, ...] = (*PLUGINS, "dataset")

_BASES: dict[Kind, type] = {
    "rule": Rule,
    "stepper": Stepper,
    "initializer": Initializer,
    "dataset": DatasetSource,
    "schedule": Schedule,
}


class CheckFailedError(AssertionError):
    """A plugin breaks a promise; the text says which one, and often what to do."""


def require(condition: object, text: str) -> None:
    """Fail the check with a text unless a condition holds.

    Raises:
        CheckFailedError: It does not hold.
    """
    if not condition:
        raise CheckFailedError(text)


@dataclass(frozen=True)
class Check:
    """One promise that a plugin class keeps or breaks.

    Attributes:
        name: Name of the function, ``check_<promise>``.
        promise: First line of its docstring.
        kinds: Kinds of classes that it applies to.
        function: Raises an exception if the promise is broken.
        when: Returns whether it applies to a class of these kinds.
    """

    name: str
    promise: str
    kinds: tuple[Kind, ...]
    function: Callable[[Any], None]
    when: Callable[[Any], bool]

    def applies_to(self, item: type) -> bool:
        """Return whether a class has to keep the promise."""
        return kind_of(item) in self.kinds and self.when(item)

    def __call__(self, item: type) -> None:
        """Run the check.

        Raises:
            CheckFailedError: The promise is broken.
            Exception: Whatever the plugin raises.
        """
        with np.errstate(all="ignore"):  # as in training: overflow is a result, not a warning
            self.function(item)


CHECKS: dict[str, Check] = {}
"""Every check by name."""

F = TypeVar("F", bound=Callable[[Any], None])


def check(
    kinds: tuple[Kind, ...], when: Callable[[Any], bool] = lambda item: True
) -> Callable[[F], F]:
    """Return a decorator that registers a function as a check of classes of these kinds."""

    def register(function: F) -> F:
        promise = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
        name = function.__name__
        CHECKS[name] = Check(name, promise, kinds, function, when)
        return function

    return register


def kind_of(item: object) -> Kind:
    """Return the kind of a class, which is the contract that it implements.

    Raises:
        PluginError: It implements none.
    """
    for kind, base in _BASES.items():
        if isinstance(item, type) and issubclass(item, base):
            return kind
    raise PluginError(
        f"{item!r} is not a Rule, Stepper, Initializer, DatasetSource or Schedule class"
    )


def checks_for(item: type) -> list[Check]:
    """Return the checks that apply to a plugin class, in the order in which they are best read.

    Raises:
        PluginError: The class implements no contract, or its ``expected_failures`` name a check
            that does not apply to it.
    """
    checks = [each for each in CHECKS.values() if each.applies_to(item)]
    unknown = set(expected_failures(item)) - {each.name for each in checks}
    if unknown:
        raise PluginError(
            f"expected_failures of {item.__name__} names {', '.join(sorted(unknown))}, "
            "which does not apply to it"
        )
    return checks


def expected_failures(item: type) -> Mapping[str, str]:
    """Return the checks that a class declares to fail on purpose, each with its reason."""
    return getattr(item, "expected_failures", {})
