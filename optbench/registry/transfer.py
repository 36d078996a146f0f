"""Passed objects on their way to worker processes: pickled by value, a Rule with its source text.

cloudpickle takes along what a class of a notebook or a script uses, but not where its text is. A
Rule is compiled from its text, so that a worker trains it in the same loop as the driver.
"""

from __future__ import annotations

import inspect
import linecache
import pickle
from typing import Any, NamedTuple

from optbench.contracts import Rule
from optbench.errors import ConfigError, describe_error
from optbench.registry.code_origins import is_interactive
from optbench.registry.declared_values import short_repr
from optbench.registry.registry import Registry
from optbench.registry.scoped import PassedObject, ScopedRegistry


class _Packed(NamedTuple):
    """A passed object as bytes, with the text of its update if it is a Rule without a file."""

    kind: str
    pickled: bytes
    update_text: str


def pack_passed(registry: ScopedRegistry) -> bytes:
    """Return the passed objects of a registry as bytes; no bytes if there are none.

    Raises:
        ConfigError: An object cannot be pickled.
    """
    return (
        pickle.dumps([tuple(_pack(each)) for each in registry.passed]) if registry.passed else b""
    )


def _pack(passed: PassedObject) -> _Packed:
    import cloudpickle

    try:
        pickled = cloudpickle.dumps(passed.item)
    except Exception as cause:
        raise ConfigError(
            f"{short_repr(passed.item)} cannot be sent to worker processes "
            f"({describe_error(cause)}); put it into a file, and load that as a plugin"
        ) from cause
    return _Packed(passed.kind, pickled, _update_text(passed.item))


def _update_text(item: Any) -> str:
    if not (isinstance(item, type) and issubclass(item, Rule) and is_interactive(item)):
        return ""
    try:
        return inspect.getsource(item.update)
    except (OSError, TypeError):  # not kept anywhere: it is not compiled in the driver either
        return ""


def unpack_passed(data: bytes, base: Registry | None = None) -> ScopedRegistry:
    """Return a registry with the objects that the driver of this process has packed.

    Args:
        data: What `pack_passed` returned.
        base: The registry below; the one of the process if None.

    Raises:
        ConfigError: An object cannot be loaded here.
    """
    registry = ScopedRegistry(base)
    for number, fields in enumerate(pickle.loads(data) if data else ()):
        packed = _Packed(*fields)
        try:
            item = pickle.loads(packed.pickled)
        except Exception as cause:
            raise ConfigError(
                f"one of the {packed.kind} that were passed cannot be loaded in a worker process: "
                f"{describe_error(cause)}"
            ) from cause
        if packed.update_text:
            _attach_text(item.update, packed.update_text, f"<passed object {number}>")
        registry.pass_object(item)
    return registry


def _attach_text(function: Any, text: str, file_name: str) -> None:
    """Let `inspect.getsource` find the text of a function that has no file."""
    function.__code__ = function.__code__.replace(co_filename=file_name, co_firstlineno=1)
    lines = text.splitlines(keepends=True)
    linecache.cache[file_name] = (len(text), None, lines, file_name)
