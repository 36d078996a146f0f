"""Imports plugin files, and registers the classes of a module that has no hooks."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optbench.contracts import (
    DatasetSource,
    Initializer,
    Landscape,
    ReportSection,
    Rule,
    Schedule,
    Stepper,
)
from optbench.errors import ConfigError
from optbench.registry.hookspecs import hookimpl
from optbench.support.files import check_regular

PLUGIN_CLASSES = (Rule, Stepper, Initializer, DatasetSource, Landscape, Schedule, ReportSection)


def import_plugin(target: str) -> Any:
    """Import a file, if the target ends in ``.py`` or contains a slash, or else a module.

    Raises:
        ConfigError: The file does not exist, or is not Python.
    """
    if target.endswith(".py") or "/" in target:
        return _import_file(target)
    return importlib.import_module(target)


def with_hooks(module: Any) -> Any:
    """Return the module if it has hooks, else an object that registers its plugin classes."""
    if any(_is_hook(name, member) for name, member in vars(module).items()):
        return module
    return _ModuleClasses(
        [
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(item, PLUGIN_CLASSES)
            and item.__module__ == module.__name__
            and vars(item).get("name")
        ]
    )


def library_classes(module: Any) -> list[tuple[str, str]]:
    """Return the classes that a module defines, each with the library that it derives from.

    Returns:
        Name of the class, and top-level package of its first base that is not in the module.
    """
    own = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and item.__module__ == module.__name__
    ]
    bases = [
        (item, next(b for b in item.__mro__ if b.__module__ != item.__module__)) for item in own
    ]
    return [(item.__name__, base.__module__.partition(".")[0]) for item, base in bases]


def _is_hook(name: str, member: object) -> bool:
    """Whether it is a hook implementation, or looks like one without its marker.

    The registry says what is wrong with a hook that is not marked.
    """
    return hasattr(member, "optbench_impl") or (name.startswith("optbench_") and callable(member))


class _ModuleClasses:
    """Stands in for a module without hooks, and registers the classes that it defines."""

    def __init__(self, classes: Sequence[type]) -> None:
        self._classes = classes

    def _of(self, *bases: type) -> list[Any]:
        return [item for item in self._classes if issubclass(item, bases)]

    @hookimpl
    def optbench_register_optimizers(self) -> list[Any]:
        return self._of(Rule, Stepper)

    @hookimpl
    def optbench_register_initializers(self) -> list[Any]:
        return self._of(Initializer)

    @hookimpl
    def optbench_register_datasets(self) -> list[Any]:
        return self._of(DatasetSource)

    @hookimpl
    def optbench_register_landscapes(self) -> list[Any]:
        return self._of(Landscape)

    @hookimpl
    def optbench_register_schedules(self) -> list[Any]:
        return self._of(Schedule)

    @hookimpl
    def optbench_register_reports(self) -> list[Any]:
        return self._of(ReportSection)


def _import_file(target: str) -> Any:
    path = Path(target)
    try:
        check_regular(path)
    except OSError as cause:
        raise ConfigError(
            "no such file" if isinstance(cause, FileNotFoundError) else cause.strerror or str(cause)
        ) from cause
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"optbench_plugin_{path.stem}_{place}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
