"""Datasets with values: ``moons[n=400]`` is a class of its own, made from that of ``moons``."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from optbench.contracts import DatasetSource, Value
from optbench.hyperparameters import check_values
from optbench.records import spell
from optbench.registry.subclasses import make_subclass


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
    given = dict(values)
    name = spell(source.name, given)
    return make_subclass(source, {"name": name, "_family": source, "_given": given})
