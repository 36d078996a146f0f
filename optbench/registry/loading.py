"""Imports plugin files, and makes of a module something that registers."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optbench.contracts import DatasetSource, Initializer, Landscape, Rule, Schedule, Stepper
from optbench.errors import ConfigError
from optbench.registry import hookspecs


def import_plugin(target: str) -> Any:
    """Import a file (it ends in ``.py`` or has a slash in it) or else a module.

    Raises:
        ConfigError: there is no such file, or it is not Python.
    """
    if target.endswith(".py") or "/" in target:
        return _import_file(target)
    return importlib.import_module(target)


class _Classes:
    """Stands in for a module without hooks: registers the named plugin classes it defines."""

    def __init__(self, found: Sequence[type]) -> None:
        self._found = found

    def _of(self, *bases: type) -> list[Any]:
        return [item for item in self._found if issubclass(item, bases)]

    @hookspecs.hookimpl
    def optbench_register_optimizers(self) -> list[Any]:
        return self._of(Rule, Stepper)

    @hookspecs.hookimpl
    def optbench_register_initializers(self) -> list[Any]:
        return self._of(Initializer)

    @hookspecs.hookimpl
    def optbench_register_datasets(self) -> list[Any]:
        return self._of(DatasetSource)

    @hookspecs.hookimpl
    def optbench_register_landscapes(self) -> list[Any]:
        return self._of(Landscape)

    @hookspecs.hookimpl
    def optbench_register_schedules(self) -> list[Any]:
        return self._of(Schedule)


def with_hooks(module: Any) -> Any:
    """The module itself, or its plugin classes registered for it if it implements no hook."""
    if any(hasattr(member, "optbench_impl") for member in vars(module).values()):
        return module
    if any(name.startswith("optbench_") and callable(item) for name, item in vars(module).items()):
        return module  # hooks without their marker: `register` says what is wrong with them
    return _Classes(
        [
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(
                item, Rule | Stepper | Initializer | DatasetSource | Landscape | Schedule
            )
            and item.__module__ == module.__name__
            and vars(item).get("name")
        ]
    )


def _import_file(target: str) -> Any:
    path = Path(target)
    if not path.is_file():
        raise ConfigError("no such file")
    where = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"optbench_plugin_{path.stem}_{where}"
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
