"""Kinds of files that a plugin reads as datasets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

import optbench
from optbench.contracts import DatasetSource, Value
from optbench.errors import ConfigError, PluginError
from optbench.registry import Registry
from optbench.registry.scoped import ScopedRegistry


class Doubled(DatasetSource):
    """A dataset that a plugin finds in a file."""

    name = "doubled"
    task = "regression"

    def load(self) -> tuple[Any, Any]:
        raise NotImplementedError


@optbench.hookimpl
def optbench_resolve_dataset(name: str, values: Mapping[str, Value]) -> type[DatasetSource] | None:
    if not name.endswith(".lines"):
        return None
    if "wrong" in values:
        return values["wrong"]  # type: ignore[return-value]
    if "broken" in values:
        raise KeyError("broken")
    return Doubled


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.register(sys.modules[__name__])
    return registry


def test_a_plugin_reads_a_further_kind_of_files(registry: Registry) -> None:
    """The dataset has the name that users write, once for each name."""
    source = registry.dataset_source("data/my houses.lines[unit=eur]")
    assert issubclass(source, Doubled)
    assert source.name == "data/my houses.lines[unit=eur]"
    assert registry.dataset_source("data/my houses.lines[unit=eur]") is source
    assert ScopedRegistry(registry).dataset_source("data/my houses.lines[unit=eur]") is source
    assert registry.dataset_source("a.lines").name == "a.lines"


def test_files_have_a_train_size_too(registry: Registry) -> None:
    """The harness handles it, so a plugin does not see it."""
    source = registry.dataset_source("a.lines[unit=eur,train_size=20]")
    assert source.name == "a.lines[unit=eur,train_size=20]"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("a.xlsx", ConfigError, "no installed plugin reads files such as 'a.xlsx'; save it as CSV"),
        ("a.lines[wrong=3]", PluginError, "optbench_resolve_dataset returned 3, not"),
        ("a.lines[broken=1]", PluginError, "optbench_resolve_dataset raised KeyError"),
    ],
)
def test_a_file_that_no_plugin_reads_and_faulty_plugins(
    registry: Registry, name: str, error: type[Exception], message: str
) -> None:
    """One line each, with the plugin's name."""
    with pytest.raises(error, match=message):
        registry.dataset_source(name)
