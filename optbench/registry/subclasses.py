"""Subclasses that stand for the class they are made from, under another name."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def make_subclass(cls: type[T], attributes: dict[str, Any]) -> type[T]:
    """Return a subclass with further attributes, and with the docstring and place of the class.

    Args:
        cls: The class.
        attributes: Attributes of the subclass.
    """
    place = {name: getattr(cls, name) for name in ("__doc__", "__module__", "__qualname__")}
    metaclass: Any = type(cls)
    subclass: type[T] = metaclass(cls.__name__, (cls,), {**attributes, **place})
    return subclass
