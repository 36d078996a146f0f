"""A digest of code that has no file of its own: classes and functions of a notebook or a script.

It covers the class itself and whatever it uses of the same module: functions, classes, numbers and
arrays. So a cell that is run again without a change gives the same digest, and a changed helper
function gives another one.
"""

from __future__ import annotations

import builtins
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

MAIN = "__main__"
_IGNORED = frozenset({
    "__dict__", "__weakref__", "__module__", "__doc__", "__abstractmethods__", "_abc_impl",
    "__firstlineno__", "__static_attributes__", "__annotations__", "__annotate_func__",
})  # fmt: skip
"""Entries of a class that are not part of what it does."""


def is_interactive(item: object) -> bool:
    """Return whether a class or function cannot be imported from a file by its name.

    That is so in a notebook, in the script that was started, and inside of a function.
    """
    module = sys.modules.get(getattr(item, "__module__", None) or "")
    path = getattr(module, "__file__", None)
    if module is None or module.__name__ == MAIN or not path or not Path(path).is_file():
        return True
    found: Any = module
    for part in str(getattr(item, "__qualname__", "")).split("."):
        found = getattr(found, part, None)
    return found is not item


def source_digest(item: object) -> str:
    """Return eight hexadecimal digits of the source of a class or function, and of what it uses."""
    digest = hashlib.sha256()
    for text in _Walk(item).texts():
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:8]


class _Walk:
    """Goes through an object and everything that it uses of its own module, each once."""

    def __init__(self, item: object) -> None:
        self._module = getattr(item, "__module__", None)
        self._pending: list[tuple[str, object]] = [("", item)]
        self._seen: set[int] = set()

    def texts(self) -> Iterator[str]:
        """Yield a text for each part; equal code gives equal texts."""
        while self._pending:
            name, item = self._pending.pop(0)
            if isinstance(item, staticmethod | classmethod):
                item = item.__func__
            elif isinstance(item, property):
                item = item.fget
            if isinstance(item, type | FunctionType):
                if id(item) in self._seen:
                    continue
                self._seen.add(id(item))
            yield f"{name}={self._text(item)}"

    def _text(self, item: object) -> str:
        if isinstance(item, FunctionType) and self._is_own(item):
            self._pending += _used(item)
            return _function_text(item)
        if isinstance(item, type) and self._is_own(item):
            members = {k: v for k, v in vars(item).items() if k not in _IGNORED}
            self._pending += sorted(members.items())
            self._pending += [("base", base) for base in item.__bases__]
            return f"class {item.__name__}"
        if isinstance(item, type | FunctionType):
            return f"{item.__module__}.{item.__qualname__}"
        if isinstance(item, ModuleType):
            return item.__name__
        if isinstance(item, np.ndarray):
            return f"{item.dtype}{item.shape}{hashlib.sha256(item.tobytes()).hexdigest()}"
        return _value_text(item)

    def _is_own(self, item: type | FunctionType) -> bool:
        return item.__module__ == self._module


def _used(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Names and values of the globals, closure variables and defaults that a function uses."""
    names = sorted(_names(function.__code__))
    for name in names:
        if name in function.__globals__ and not hasattr(builtins, name):
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue
    yield "defaults", (function.__defaults__, function.__kwdefaults__)


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def _function_text(function: FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed at a prompt that keeps no text
        return _code_text(function.__code__)


def _code_text(code: CodeType) -> str:
    constants = [_code_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _value_text(value: object) -> str:
    """The repr of a value; of one whose repr has an address in it, its type."""
    try:
        text = repr(value)
    except Exception:  # a plugin's own code
        text = "0x"
    return f"{type(value).__qualname__}" if "0x" in text else text
