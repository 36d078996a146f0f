"""Optimizers that plugins make of classes and functions of other libraries."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import pytest

from optbench.errors import ConfigError, OptbenchError, PluginError
from optbench.registry import Registry
from optbench.registry.scoped import ScopedRegistry
from optbench.registry.signatures import read_signature

PLUGIN = """
import optbench

class Theirs(optbench.Rule):
    name = {name!r}
    lr: float = optbench.hyper(0.1, "learning rate", low=0)
    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * grad,)

@optbench.hookimpl
def optbench_adapt_optimizer(item, arguments):
    {body}

@optbench.hookimpl
def optbench_resolve_optimizer(name):
    return Theirs if name == "lib:known" else None
"""


class Foreign:
    """A class of a library that a plugin adapts."""


def registry_with(body: str, name: str = "lib:known") -> Registry:
    """A registry with one plugin that adapts."""
    module = ModuleType("adapter")
    exec(PLUGIN.format(body=body, name=name), vars(module))
    registry = Registry()
    registry.register(module)
    return registry


def test_a_plugin_adapts_a_class_with_its_values() -> None:
    """The name is one that it resolves, so that nothing has to be sent to workers."""
    scope = ScopedRegistry(registry_with("return Theirs, {k: v for k, v in arguments.items()}"))
    fix: Any = functools.partial
    assert scope.optimizer_text(Foreign) == "lib:known"
    assert scope.optimizer_text(fix(Foreign, lr=0.5)) == "lib:known[lr=0.5]"
    assert scope.optimizer("lib:known").name == "lib:known"
    assert scope.passed == []


def test_what_a_plugin_cannot_find_by_name_is_passed_as_an_object() -> None:
    """Workers adapt it again."""
    scope = ScopedRegistry(registry_with("return Theirs, {}", name="lib:unknown"))
    assert scope.optimizer_text(Foreign) == "lib:unknown"
    assert [(each.kind, each.item) for each in scope.passed] == [("optimizers", Foreign)]


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("return None", ConfigError, "class Foreign is not an optimizer.*adapts optimizers of"),
        ("return Theirs", PluginError, "plugin adapter: .* not an optimizer and its values"),
        ("return 3, {}", PluginError, "not an optimizer and its values"),
        ("raise KeyError(item)", PluginError, "plugin adapter: .* raised KeyError"),
        ("raise optbench.ConfigError('no')", ConfigError, "^no$"),
    ],
)
def test_a_fault_names_who_is_at_fault(body: str, error: type[OptbenchError], message: str) -> None:
    """The user for an object that nobody knows, else the plugin."""
    with pytest.raises(error, match=message):
        registry_with(body).adapt_optimizer(Foreign, {})


def theirs(params: Any, lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.99), mask: Any = None
           ) -> None:  # fmt: skip
    """A constructor of another library."""


def test_arguments_become_hyperparameter_values() -> None:
    """The way back from `bind`; what cannot be one says so."""
    arguments = read_signature(theirs, skip=("params",))
    values = arguments.values_of({"lr": 0.5, "betas": (0.8, 0.9)}, "theirs")
    assert values == {"lr": 0.5, "beta1": 0.8, "beta2": 0.9}
    assert arguments.bind(values) == {"lr": 0.5, "betas": (0.8, 0.9)}
    for given, message in (
        ({"mask": len}, "theirs: the argument mask is not a hyperparameter; pass a function"),
        ({"beta": 1}, "unknown hyperparameter among the arguments of theirs 'beta'"),
        ({"betas": (0.9,)}, r"betas=\(0.9,\) cannot be a hyperparameter"),
        ({"lr": len}, "lr=<built-in function len> cannot be a hyperparameter"),
    ):
        with pytest.raises(ConfigError, match=message):
            arguments.values_of(given, "theirs")
