"""Texts that stand for the values of constants in a fingerprint."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import PurePath
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_SCALARS = (bool, int, float, complex, bytes, type(None), type(Ellipsis))
_LONGEST_REPR = 10_000
"""Characters; what has a longer repr stands for its type only."""


class ValueText:
    """Writes texts that are the same in every process for equal values.

    Args:
        note: Called for each function, class and module in a value; returns its text.
        is_open: Whether the attributes of the objects of a class are looked into.
    """

    def __init__(self, note: Callable[[object], str], is_open: Callable[[type], bool]) -> None:
        self._note = note
        self._is_open = is_open
        self._outer: list[int] = []

    def of(self, value: Any) -> str:
        """Return the text of a value."""
        if isinstance(value, _SCALARS):
            return repr(value)
        if isinstance(value, str):  # a path differs from machine to machine
            return "a path" if os.path.isabs(value) else repr(value)
        if isinstance(value, PurePath):
            return "a path"
        if isinstance(value, FunctionType | type | ModuleType | MethodType):
            return self._note(value)
        if id(value) in self._outer:
            return "itself"
        self._outer.append(id(value))
        try:
            return f"{type(value).__qualname__} {self._content(value)}"
        except Exception:  # a plugin's own code, behind an attribute or in a repr
            return type(value).__qualname__
        finally:
            self._outer.pop()

    def _content(self, value: Any) -> str:
        if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
            return _array_text(value)
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, Mapping):
            return ",".join(f"{self.of(key)}:{self.of(item)}" for key, item in value.items())
        if isinstance(value, set | frozenset):
            return ",".join(sorted(map(self.of, value)))
        if isinstance(value, list | tuple):
            return ",".join(map(self.of, value))
        wrapped = getattr(value, "__wrapped__", None) or getattr(value, "py_func", None)
        if wrapped is not None:  # a decorated function
            return self.of(wrapped)
        if isinstance(value, functools.partial):
            return self.of((value.func, value.args, value.keywords))
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict) and self._is_open(type(value)):
            return f"{self.of(type(value))} {self.of(dict(sorted(attributes.items())))}"
        return _repr_text(value)


def _array_text(value: Any) -> str:
    array = np.asarray(value)
    content = array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode()
    return f"{array.dtype}{array.shape}{hashlib.sha256(content).hexdigest()}"


def _repr_text(value: object) -> str:
    """Return the repr of a value; nothing if it has an address in it."""
    text = repr(value)
    return "" if "0x" in text or " at " in text or len(text) > _LONGEST_REPR else text
