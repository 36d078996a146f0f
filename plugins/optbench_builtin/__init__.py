"""The optimizers, initializers, datasets, schedules and suites that come with optbench.

Every module in one of the folders is imported, and the plugin classes that it defines are
registered.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import optbench

_HERE = Path(__file__).parent


def _classes(folder: str, *bases: type[Any]) -> list[Any]:
    classes: list[Any] = []
    for info in pkgutil.iter_modules([str(_HERE / folder)]):
        module: ModuleType = importlib.import_module(f"{__name__}.{folder}.{info.name}")
        classes += [
            item
            for _, item in inspect.getmembers(module, inspect.isclass)
            if issubclass(item, bases)
            and item.__module__ == module.__name__
            and vars(item).get("name")
        ]
    return classes


@optbench.hookimpl
def optbench_register_optimizers() -> list[Any]:
    """Every optimizer in ``optimizers/``."""
    return _classes("optimizers", optbench.Rule, optbench.Stepper)


@optbench.hookimpl
def optbench_register_initializers() -> list[Any]:
    """Every initializer in ``initializers/``."""
    return _classes("initializers", optbench.Initializer)


@optbench.hookimpl
def optbench_register_datasets() -> list[Any]:
    """Every dataset in ``datasets/``."""
    return _classes("datasets", optbench.DatasetSource)


@optbench.hookimpl
def optbench_resolve_dataset(
    name: str, values: Mapping[str, optbench.Value]
) -> type[optbench.DatasetSource] | None:
    """The dataset in a file, such as ``houses.csv``."""
    from optbench_builtin.table_files.datasets import dataset_in_file

    return dataset_in_file(name, values)


@optbench.hookimpl
def optbench_register_landscapes() -> list[Any]:
    """Every landscape in ``landscapes/``."""
    return _classes("landscapes", optbench.Landscape)


@optbench.hookimpl
def optbench_register_schedules() -> list[Any]:
    """Every schedule in ``schedules/``."""
    return _classes("schedules", optbench.Schedule)


@optbench.hookimpl
def optbench_register_suites() -> list[Path]:
    """Every suite in ``suites/``."""
    return sorted((_HERE / "suites").glob("*.toml"))


@optbench.hookimpl
def optbench_register_targets() -> list[Path]:
    """The frozen targets of the built-in datasets."""
    return sorted((_HERE / "targets").glob("*.toml"))
