"""Goes through the code and the constants that a plugin class runs on."""

from __future__ import annotations

import builtins
import functools
import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from optbench.registry.code_modules import (
    ModuleCode,
    Stamp,
    compiled_texts,
    file_stamp,
    read_module,
)
from optbench.registry.code_origins import (
    Origin,
    library_release,
    module_file,
    module_origin,
)
from optbench.registry.source_text import DESCRIPTIONS, code_text, function_text
from optbench.registry.value_text import ValueText

_IGNORED = DESCRIPTIONS | {
    "__dict__", "__weakref__", "__module__", "__doc__", "__abstractmethods__", "_abc_impl",
    "__firstlineno__", "__static_attributes__", "__annotations__", "__annotate_func__",
    "__dataclass_fields__", "__dataclass_params__", "__match_args__", "__qualname__",
    "__orig_bases__", "__parameters__", "__struct_fields__",
}  # fmt: skip
"""Entries of a class that are not part of what it computes."""

Binding = tuple[Mapping[str, Any], str, object]
"""A namespace, a name in it, and what the name is bound to."""


class CodeWalk:
    """Everything that a class uses, each once, until it leaves the plugin's own code.

    Own code is what is not installed, and the plugin's own package: its modules are covered as a
    whole, with the modules that they import. Of an installed library, the release counts. What has
    no file, as in a notebook, is covered function by function. Module constants, closure variables
    and defaults that a function uses are covered by value.

    Args:
        item: The class.
        digest_in: What the digest begins with.

    Attributes:
        digest: The digest.
        stamps: Files that were read, each with its state.
        bindings: Names that were looked up, with what they were bound to.
    """

    def __init__(self, item: type, digest_in: str = "") -> None:
        self._own_packages = frozenset({item.__module__.partition(".")[0]})
        self._values = ValueText(self._note, self._is_open)
        self.stamps: dict[Path, Stamp | None] = {}
        self.bindings: list[Binding] = []
        self._texts: list[str] = []
        self._sets: set[str] = {digest_in}
        self._pending: list[tuple[str, object]] = [("", item)]
        self._modules: list[str] = []
        self._known_modules: set[str] = set()
        self._known: dict[int, object] = {}
        self._origin = functools.cache(lambda name: module_origin(name, self._own_packages))
        self._file = functools.cache(module_file)
        self._code = functools.cache(self._code_of)
        self._run()
        digest = hashlib.sha256()
        for text in (*sorted(self._sets), *self._texts):
            digest.update(text.encode() + b"\0")
        self.digest = digest.hexdigest()

    def _run(self) -> None:
        while self._pending or self._modules:
            while self._pending:
                name, item = self._pending.pop(0)
                self._texts.append(f"{name}={self._values.of(item)}")
            if self._modules:
                self._read(self._modules.pop())

    def _note(self, item: object) -> str:
        """Return the text of a function, class or module, and look into it once."""
        if isinstance(item, MethodType):
            item = item.__func__
        name = str(getattr(item, "__qualname__", "")) or getattr(item, "__name__", "")
        module = item.__name__ if isinstance(item, ModuleType) else _module_of(item)
        origin = self._add_module(module)
        if origin in (Origin.COMMON, Origin.LIBRARY):
            return name
        if id(item) not in self._known:
            self._known[id(item)] = item
            if isinstance(item, FunctionType):
                self._look_into_function(item, module, origin)
            elif isinstance(item, type):
                self._look_into_class(item)
        return name.rpartition(".")[2] if isinstance(item, ModuleType) else name

    def _is_open(self, cls: type) -> bool:
        origin = self._origin(cls.__module__)
        return origin in (Origin.OWN, Origin.UNFILED) or cls.__module__.startswith("optbench.")

    def _add_module(self, module: str) -> Origin:
        origin = self._origin(module)
        if origin is Origin.LIBRARY:
            self._sets.add(library_release(module.partition(".")[0]))
        elif origin is Origin.OWN and module not in self._known_modules:
            self._known_modules.add(module)
            self._modules.append(module)
        return origin

    # -- classes and functions ----------------------------------------------------------------

    def _look_into_class(self, cls: type) -> None:
        for name, member in sorted(vars(cls).items()):
            if name not in _IGNORED:
                self.bindings.append((vars(cls), name, member))
                self._pending.append((name, _unwrapped(member)))
        self._pending += [("base", base) for base in cls.__bases__]

    def _look_into_function(self, function: FunctionType, module: str, origin: Origin) -> None:
        if origin is Origin.UNFILED:
            self._texts.append(function_text(function))
        else:
            self._compare_with_file(function, module)
        space = function.__globals__
        code = self._code(str(space.get("__name__", "")))
        for name in sorted(_names(function.__code__)):
            if name in space and not hasattr(builtins, name):
                self._use(space, name, code)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            try:
                self._pending.append((name, _unwrapped(cell.cell_contents)))
            except ValueError:  # not bound yet
                continue
        self._pending.append(("defaults", (function.__defaults__, function.__kwdefaults__)))
        if wrapped := getattr(function, "__wrapped__", None):
            self._pending.append(("wrapped", wrapped))

    def _use(self, space: Mapping[str, Any], name: str, code: ModuleCode | None) -> None:
        """Take what a global name is bound to, unless its text or nothing fixed is behind it."""
        value = space[name]
        if code is not None and name in code.rebound:
            return
        is_container = not isinstance(value, bool | int | float | complex | str | bytes)
        if code is not None and name in code.literals and is_container:
            return  # a cache, or covered by the text of the module
        self.bindings.append((space, name, value))
        self._pending.append((name, _unwrapped(value)))

    def _compare_with_file(self, function: FunctionType, module: str) -> None:
        """Take the code in memory if the file has been edited since it was imported."""
        path = self._file(module)
        if path is None or Path(function.__code__.co_filename) != path:
            return  # made by a decorator, from a text of its own
        text = code_text(function.__code__)
        if "<" in function.__qualname__:  # one of several of its name, which the file has as well
            code = function.__code__
            self._texts.append(f"{code.co_names} {[c for c in code.co_consts if _is_plain(c)]}")
        if text not in compiled_texts(path, self._stamp(path)):
            self._texts.append(f"in memory {text}")

    # -- modules ------------------------------------------------------------------------------

    def _stamp(self, path: Path) -> Stamp | None:
        if path not in self.stamps:
            self.stamps[path] = file_stamp(path)
        return self.stamps[path]

    def _code_of(self, module: str) -> ModuleCode | None:
        path = module_file(module) if module in sys.modules else None
        if path is None or self._origin(module) is not Origin.OWN:
            return None
        return read_module(path, self._stamp(path))

    def _read(self, module: str) -> None:
        path = module_file(module)
        if path is None:
            return
        code = read_module(path, self._stamp(path))
        self._sets.add(code.digest)
        package = module if path.stem == "__init__" else module.rpartition(".")[0]
        for imported in _imported_modules(code, package):
            self._add_module(imported)


def _imported_modules(code: ModuleCode, package: str) -> Iterator[str]:
    for level, base, name in code.imports:
        parents = package.split(".")[: len(package.split(".")) - level + 1] if level else []
        full = ".".join([*parents, base] if base else parents)
        inside = f"{full}.{name}" if full else name
        if name and name != "*" and module_file(inside):
            yield inside
        elif full and (full in sys.modules or module_file(full)):
            yield full


def _is_plain(constant: object) -> bool:
    return isinstance(constant, int | float | str)


def _module_of(item: object) -> str:
    return str(getattr(item, "__module__", None) or "builtins")


def _unwrapped(member: Any) -> Any:
    if isinstance(member, staticmethod | classmethod):
        return member.__func__
    return (member.fget, member.fset) if isinstance(member, property) else member


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names
