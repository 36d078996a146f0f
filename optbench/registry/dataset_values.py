"""Datasets with values: ``moons[n=400]`` is a class of its own, made from that of ``moons``.

Every dataset also has the value ``train_size``: the share or number of its training examples that
are used. The validation and test parts stay the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

from optbench.contracts import DatasetSource, Value, family_of
from optbench.errors import ConfigError
from optbench.hyperparameters import check_values
from optbench.records import spell
from optbench.registry.subclasses import make_subclass

TRAIN_SIZE = "train_size"
FEWEST = 2
"""Fewest training examples that can be asked for."""


def with_values(source: type[DatasetSource], given: Mapping[str, Value]) -> type[DatasetSource]:
    """Return the class of a dataset with values for its hyperparameters.

    Args:
        source: The class that a plugin registers.
        given: Values by name, ``train_size`` included: a share of the training examples in
            (0, 1], or a whole number of at least 2.

    Returns:
        A subclass with a canonical name: the values that differ from the defaults, in the order of
        their declarations. The class itself where none differs.

    Raises:
        ConfigError: A hyperparameter is unknown, or a value is out of range or of the wrong type.
    """
    if TRAIN_SIZE in given and TRAIN_SIZE not in source.hypers():
        size = _checked_size(source, given[TRAIN_SIZE])
        rest = {name: value for name, value in given.items() if name != TRAIN_SIZE}
        whole = with_values(source, rest)
        return whole if size == 1 else _with_fewer(whole, size)
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


def is_file_name(name: str) -> bool:
    """Return whether a name is that of a file; names of datasets have no dot.

    Example:
        >>> is_file_name("data/houses.csv"), is_file_name("iris")
        (True, False)
    """
    return "." in name


@functools.lru_cache(maxsize=128)
def of_file(
    source: type[DatasetSource], name: str, values: tuple[tuple[str, Value], ...]
) -> type[DatasetSource]:
    """Return the subclass of what was read from a file, with the name that users write.

    Args:
        source: The dataset in the file.
        name: Name of the file.
        values: Values in brackets.
    """
    family = make_subclass(source, {"name": name})
    return _bound(family, values) if values else family


def _checked_size(source: type[DatasetSource], size: Value) -> float | int:
    if isinstance(size, int | float) and not isinstance(size, bool):
        if 0 < size <= 1:
            return float(size)
        if FEWEST <= size < math.inf and size == int(size):
            return int(size)
    raise ConfigError(
        f"{source.name}: train_size={size} is not allowed; a share of the training examples in "
        f"(0, 1], or a whole number >= {FEWEST}"
    )


@functools.lru_cache(maxsize=512)
def _with_fewer(whole: type[DatasetSource], size: float | int) -> type[DatasetSource]:
    """Return the subclass with fewer training examples; the same one each time."""
    family = family_of(whole)
    name = spell(family.name, {**whole._given, TRAIN_SIZE: size})
    return make_subclass(
        whole, {"name": name, "_whole": whole, "_train_size": size, "_family": family}
    )
