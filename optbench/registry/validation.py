"""What a plugin may register: classes and files that the harness can do something with.

A fault in a declaration is told when the plugin loads, by name, instead of as a puzzle in the
middle of a study. What the plugin's code does is checked where it is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from optbench.contracts import (
    KEBAB,
    DatasetSource,
    Initializer,
    Landscape,
    Plugin,
    Rule,
    Stepper,
    Task,
    Value,
)
from optbench.errors import ConfigError, PluginError
from optbench.support.text import one_line

LONGEST_NAME = 80
"""Letters of a name: it has to fit in a table and in the name of a file."""


def _is_class(*bases: type) -> Callable[[object], bool]:
    return lambda item: isinstance(item, type) and issubclass(item, bases)


def _is_toml(item: object) -> bool:
    return isinstance(item, Path) and item.suffix == ".toml"


EXPECTED: dict[str, tuple[str, Callable[[object], bool]]] = {
    "optimizers": ("Rule or Stepper classes", _is_class(Rule, Stepper)),
    "initializers": ("Initializer classes", _is_class(Initializer)),
    "datasets": ("DatasetSource classes", _is_class(DatasetSource)),
    "landscapes": ("Landscape classes", _is_class(Landscape)),
    "suites": ("paths of TOML files", _is_toml),
    "targets": ("paths of TOML files", _is_toml),
}
"""What the hook of each kind returns a list of."""


def named_items(kind: str, items: object) -> Iterator[tuple[str, Any]]:
    """Name and item of everything that a hook returned.

    Args:
        kind: ``"optimizers"`` and so on.
        items: what ``optbench_register_<kind>`` returned.

    Raises:
        PluginError: it is no list, or something in it cannot be what it is said to be.
    """
    expected, fits = EXPECTED[kind]
    hook = f"optbench_register_{kind}"
    if not isinstance(items, Sequence) or isinstance(items, str | bytes):
        raise PluginError(f"{hook} must return a list of {expected}, not {shown(items)}")
    for item in items:
        if not fits(item):
            raise PluginError(f"{hook} returned {shown(item)}, not {expected}")
        name = item.stem if isinstance(item, Path) else item.name
        if not is_name(name):
            raise PluginError(
                f"{shown(item)} bears the name {shown(name)}; names are kebab-case, "
                f"of at most {LONGEST_NAME} letters"
            )
        if fault := fault_of(item):
            raise PluginError(f"'{name}' {fault}")
        yield name, item


def names_on_demand(items: object) -> Iterator[tuple[str, str]]:
    """Name and summary of the optimizers that a plugin makes when they are asked for.

    Raises:
        PluginError: it is no mapping, or a name in it is not of the form ``prefix:rest``.
    """
    if not isinstance(items, Mapping):
        raise PluginError("optbench_list_optimizers must return names and summaries")
    for name, text in items.items():
        if not (is_name(name) and ":" in name):
            raise PluginError(
                f"optbench_list_optimizers lists {shown(name)}; a name is prefix:rest"
            )
        yield name, one_line(str(text))


def is_name(name: object) -> bool:
    """Whether plugins may bear this name."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and bool(KEBAB.fullmatch(name))


def shown(item: object) -> str:
    """What is in the wrong place, in a few letters; its own code is not trusted to say."""
    try:
        text = f"class {item.__name__}" if isinstance(item, type) else repr(item)
        text = one_line(text)
    except Exception:
        text = f"an object of {type(item).__name__}"
    return text if len(text) <= 120 else f"{text[:100]}[...]"


def fault_of(item: object) -> str:
    """What is wrong with the declaration of a plugin class, or an empty string."""
    if isinstance(item, type):
        if missing := _missing_methods(item):
            return f"defines no `{missing}`"
        for base, look in _LOOKS.items():
            if issubclass(item, base) and (fault := look(cast(Any, item))):
                return fault
    return ""


def _missing_methods(item: type) -> str:
    if issubclass(item, Rule) and not hasattr(item, "update"):
        return "update"
    return "` and `".join(sorted(getattr(item, "__abstractmethods__", ())))


def _plugin_fault(item: type[Plugin]) -> str:
    if isinstance(item.needs, str) or not _all_texts(item.needs):
        return f"declares needs = {shown(item.needs)}, which is no set of words"
    if not isinstance(item.expected_failures, Mapping):
        return f"declares expected_failures = {shown(item.expected_failures)}, which is no mapping"
    for name, declared in item.hypers().items():
        if not _is_identifier(name):
            return f"declares a hyperparameter {shown(name)}, which is no name in Python"
        if not isinstance(declared.default, (*get_args(Value),)):
            return f"declares {name} = {shown(declared.default)}, no number, word, true or false"
        try:
            declared.check(declared.default)
        except ConfigError as fault:
            return f"declares a default out of its own range: {fault}"
    return ""


def _rule_fault(item: type[Rule]) -> str:
    slots, scalars = item.slots, item.scalars
    if not isinstance(slots, tuple | list) or not all(map(_is_identifier, slots)):
        return f"declares slots = {shown(slots)}, which is no tuple of names"
    if not isinstance(scalars, Mapping) or not all(map(_is_identifier, scalars)):
        return f"declares scalars = {shown(scalars)}, which is no mapping of names to numbers"
    if not all(_is_number(value) for value in scalars.values()):
        return f"declares scalars = {shown(scalars)}, which is no mapping of names to numbers"
    return ""


def _dataset_fault(item: type[DatasetSource]) -> str:
    task = getattr(item, "task", None)
    return "" if task in get_args(Task) else f"declares task = {shown(task)}; {_or(get_args(Task))}"


def _landscape_fault(item: type[Landscape]) -> str:
    span, start = getattr(item, "span", None), getattr(item, "start", None)
    if not (_are_points(span, 2) and all(low < high for low, high in cast(Any, span))):
        return f"declares span = {shown(span)}, not ((x_low, x_high), (y_low, y_high))"
    if not _are_points((start,), 1):
        return f"declares start = {shown(start)}, not (x, y)"
    if not _are_points(item.minima):
        return f"declares minima = {shown(item.minima)}, which is no tuple of points"
    return ""


_LOOKS: dict[type, Callable[[Any], str]] = {
    Plugin: _plugin_fault,
    Rule: _rule_fault,
    DatasetSource: _dataset_fault,
    Landscape: _landscape_fault,
}


def _is_identifier(name: object) -> bool:
    return (
        isinstance(name, str)
        and name.isascii()
        and name.isidentifier()
        and len(name) <= LONGEST_NAME
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _all_texts(items: object) -> bool:
    try:
        return all(isinstance(item, str) for item in cast(Any, items))
    except TypeError:
        return False


def _are_points(points: object, count: int | None = None) -> bool:
    """Whether these are pairs of finite numbers, and as many as they should be."""
    return (
        isinstance(points, tuple | list)
        and len(points) == (len(points) if count is None else count)
        and all(isinstance(point, tuple | list) and len(point) == 2 for point in points)
        and all(_is_number(value) for point in points for value in point)
    )


def _or(words: Sequence[str]) -> str:
    return " or ".join(words)
