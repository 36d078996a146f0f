"""Finds optimizer classes of installed libraries by name, and the version of their code."""

from __future__ import annotations

import contextlib
import difflib
import functools
import hashlib
import importlib
import inspect
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import TypeGuard

import torch

from optbench import ConfigError, PluginError
from optbench_torch.names import ALIASES, BUILTIN, PREFIX

COMPILING = {"heavyball": ("heavyball.utils", "compile_mode", None)}
"""Module, switch and value that keep a library from compiling each step, which takes minutes."""


def find_class(name: str) -> type[torch.optim.Optimizer]:
    """Return the class for ``torch:adamw`` or ``torch:package.module.Class``.

    Raises:
        ConfigError: There is no such class.
        PluginError: Its module does not import.
    """
    target = name.removeprefix(PREFIX)
    if target in BUILTIN:
        return getattr(torch.optim, BUILTIN[target].cls)  # type: ignore[no-any-return]
    module_name, _, class_name = target.replace(":", ".").rpartition(".")
    if not module_name:
        return _of_torch(target)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as cause:
        missing = cause.name or module_name
        if module_name.startswith(missing):
            raise ConfigError(
                f"{name}: no module '{missing}' is installed; if it is in the current folder, "
                "set PYTHONPATH=. so that it is found"
            ) from cause
        raise PluginError(f"{name}: {module_name} needs '{missing}', not installed") from cause
    except Exception as cause:
        raise PluginError(f"{name}: importing {module_name} fails: {cause}") from cause
    item = getattr(module, class_name, None)
    if module_name.partition(".")[0] in COMPILING:
        owner, switch, value = COMPILING[module_name.partition(".")[0]]
        setattr(importlib.import_module(owner), switch, value)
    if not is_optimizer(item):
        names = [each for each, member in vars(module).items() if is_optimizer(member)]
        fault = "is not an optimizer class" if item is not None else "does not exist"
        raise ConfigError(f"{name}: {module_name}.{class_name} {fault}{_hint(class_name, names)}")
    return item


def _of_torch(target: str) -> type[torch.optim.Optimizer]:
    classes = {c.lower(): item for c, item in vars(torch.optim).items() if is_optimizer(item)}
    if target.lower() not in classes:
        hint = _hint(target.lower(), list(BUILTIN)) or "; other classes are torch:module.Class"
        raise ConfigError(f"torch.optim has no optimizer '{target}'{hint}")
    return classes[target.lower()]


def name_of(cls: type[torch.optim.Optimizer]) -> str:
    """Return the name that `find_class` finds a class by, or one that it does not know.

    The latter for a class that cannot be imported: of a notebook, a script or a function.
    """
    if cls.__module__.startswith("torch.optim") and cls.__name__ in ALIASES:
        return f"{PREFIX}{ALIASES[cls.__name__]}"
    package = cls.__module__.partition(".")[0]
    for module in (package, cls.__module__):
        if module != "__main__" and getattr(sys.modules.get(module), cls.__name__, None) is cls:
            return f"{PREFIX}{module}.{cls.__name__}"
    return f"{PREFIX}{cls.__name__}"


def is_optimizer(item: object) -> TypeGuard[type[torch.optim.Optimizer]]:
    """Return whether it is a PyTorch optimizer class."""
    return isinstance(item, type) and issubclass(item, torch.optim.Optimizer)


def _hint(wrong: str, names: list[str]) -> str:
    near = difflib.get_close_matches(wrong, names, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def version_of(cls: type) -> str:
    """Return the versions of PyTorch and of the class's distribution, and a hash of its files."""
    package = cls.__module__.partition(".")[0]
    parts = [f"torch {torch.__version__}"]
    if package != "torch":
        with contextlib.suppress(PackageNotFoundError):
            parts.append(_release(package))
        parts.append(_digest(cls))
    return ", ".join(parts)


@functools.cache
def _release(package: str) -> str:
    """Return distribution and version of an installed package."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:  # the distribution has another name; finding it takes a second
        name = packages_distributions().get(package, [package])[0]
        return f"{name} {version(name)}"


def _digest(cls: type) -> str:
    """Return a hash of the files of the class and of its bases, for code without a version."""
    digest = hashlib.sha256()
    for base in cls.__mro__:
        if base is not object and not base.__module__.startswith("torch."):
            with contextlib.suppress(OSError, TypeError):
                digest.update(Path(inspect.getfile(base)).read_bytes())
    return digest.hexdigest()[:8]
