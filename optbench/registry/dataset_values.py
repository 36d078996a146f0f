"""Datasets with values: ``moons[n=400]`` is a class of its own, made from that of ``moons``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from optbench.contracts import DatasetSource, Value
from optbench.hyperparameters import check_values
from optbench.records import spell


def with_values(source: type[DatasetSource], given: Mapping[str, Value]) -> type[DatasetSource]:
    """Return the class of a dataset with values for its hyperparameters.

    Args:
        source: The class that a plugin registers.
        given: Values by name.

    Returns:
        A subclass with a canonical name: the values that differ from the defaults, in the order of
        their declarations. The class itself where none differs.

    Raises:
        ConfigError: A hyperparameter is unknown, or a value is out of range or of the wrong type.
    """
    checked = check_values(source, given)
    values = {
        name: checked[name]
        for name, declared in source.hypers().items()
        if name in checked and checked[name] != declared.default
    }
    return _bound(source, tuple(values.items())) if values else source


@functools.lru_cache(maxsize=512)
def _bound(
    source: type[DatasetSource], values: tuple[tuple[str, Value], ...]
) -> type[DatasetSource]:
    """Return the subclass; the same one each time, so that its arrays are loaded once."""
    attributes = {
        "name": spell(source.name, dict(values)),
        "_family": source,
        "_given": dict(values),
        "__doc__": source.__doc__,
        "__module__": source.__module__,
        "__qualname__": source.__qualname__,
    }
    metaclass: Any = type(source)
    bound: type[DatasetSource] = metaclass(source.__name__, (source,), attributes)
    return bound
