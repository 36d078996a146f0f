"""What a plugin class keeps in its attributes, where every run of the process finds it."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType

from optbench.contracts import Hyper
from optbench.registry.value_text import ValueText

_CODE = (FunctionType, classmethod, staticmethod, property, Hyper)
_OWN_PACKAGES = ("optbench", "abc", "builtins")
"""Packages whose classes keep nothing."""

ClassState = dict[str, str]
"""Name of an attribute -> text of its value."""


def class_state(item: type) -> ClassState:
    """Return the attributes of a class and of its bases that hold values, as texts.

    The attributes of a class that is the value of one, as an adapter has the class of a library,
    are among them. Objects whose ``repr`` has an address do not show a change.

    Args:
        item: The class.

    Example:
        >>> Counting = type("Counting", (), {"runs": 0, "__module__": "mine"})
        >>> before = class_state(Counting)
        >>> Counting.runs += 1
        >>> changed_names(before, class_state(Counting))
        ['runs']
    """
    texts = ValueText(note=lambda value: "", is_open=lambda cls: False)
    return {name: texts.of(value) for name, value in _values(item)}


def changed_names(before: ClassState, after: ClassState) -> list[str]:
    """Return the attributes that were changed, added or removed."""
    names = before.keys() | after.keys()
    return sorted(name for name in names if before.get(name) != after.get(name))


def _values(item: type, wrapped: bool = False) -> Iterator[tuple[str, object]]:
    for cls in reversed(item.__mro__):
        if cls.__module__.partition(".")[0] in _OWN_PACKAGES:
            continue
        for name, value in list(vars(cls).items()):
            if name.startswith("__") or name == "_abc_impl" or isinstance(value, _CODE):
                continue
            if isinstance(value, type):
                if not wrapped:
                    yield from _values(value, wrapped=True)
            else:
                yield (f"{item.__name__}.{name}" if wrapped else name), value
