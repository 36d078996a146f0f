"""What a check is, and which checks concern what."""

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
EVERYTHING: tuple[Kind, ...] = (*PLUGINS, "dataset")

_BASES: dict[Kind, type] = {
    "rule": Rule,
    "stepper": Stepper,
    "initializer": Initializer,
    "dataset": DatasetSource,
    "schedule": Schedule,
}


class CheckFailedError(AssertionError):
    """A plugin breaks a promise; the text says which, and often what to do."""


def require(condition: object, text: str) -> None:
    """Fail the check with `text` unless `condition` holds.

    Raises:
        CheckFailedError: it does not.
    """
    if not condition:
        raise CheckFailedError(text)


@dataclass(frozen=True)
class Check:
    """One promise that a plugin class keeps or breaks.

    Attributes:
        name: name of the function, ``check_<promise>``.
        promise: first line of its docstring.
        kinds: the contracts it concerns.
        function: raises if the promise is broken.
        when: tells the classes of these contracts that it concerns.
    """

    name: str
    promise: str
    kinds: tuple[Kind, ...]
    function: Callable[[Any], None]
    when: Callable[[Any], bool]

    def concerns(self, item: type) -> bool:
        """Whether the promise is one of this class's."""
        return kind_of(item) in self.kinds and self.when(item)

    def __call__(self, item: type) -> None:
        """Run the check.

        Raises:
            CheckFailedError: the promise is broken.
            Exception: whatever the plugin itself raised.
        """
        with np.errstate(all="ignore"):  # as in training: overflow is a result, not a warning
            self.function(item)


CHECKS: dict[str, Check] = {}
"""Every check by name."""

F = TypeVar("F", bound=Callable[[Any], None])


def check(
    kinds: tuple[Kind, ...], when: Callable[[Any], bool] = lambda item: True
) -> Callable[[F], F]:
    """Register a function as a check of these kinds."""

    def register(function: F) -> F:
        promise = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
        name = function.__name__
        CHECKS[name] = Check(name, promise, kinds, function, when)
        return function

    return register


def kind_of(item: object) -> Kind:
    """The contract that a class implements.

    Raises:
        PluginError: none.
    """
    for kind, base in _BASES.items():
        if isinstance(item, type) and issubclass(item, base):
            return kind
    raise PluginError(
        f"{item!r} is not a Rule, Stepper, Initializer, DatasetSource or Schedule class"
    )


def checks_for(item: type) -> list[Check]:
    """The checks that concern a plugin class, in the order in which they are best read.

    Raises:
        PluginError: the class implements no contract, or its ``expected_failures`` name a check
            that does not concern it.
    """
    found = [each for each in CHECKS.values() if each.concerns(item)]
    unknown = set(expected_failures(item)) - {each.name for each in found}
    if unknown:
        raise PluginError(
            f"expected_failures of {item.__name__} names {', '.join(sorted(unknown))}, "
            "which is no check of it"
        )
    return found


def expected_failures(item: type) -> Mapping[str, str]:
    """Checks that the class declares to fail on purpose, each with its reason."""
    return getattr(item, "expected_failures", {})
