"""Asks plugins for what they make on demand: optimizers, and the data in files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optbench.contracts import DatasetSource, Optimizer, Value
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.registry.dataset_values import of_file
from optbench.registry.declared_values import short_repr
from optbench.registry.hook_manager import HookManager
from optbench.registry.kinds import DATASETS, OPTIMIZERS
from optbench.registry.validation import check_resolved

RESOLVE = "optbench_resolve_optimizer"
ADAPT = "optbench_adapt_optimizer"
RESOLVE_DATASET = "optbench_resolve_dataset"


def resolve_optimizer(hooks: HookManager, name: str) -> tuple[Optimizer, str]:
    """Return the optimizer for a name such as ``torch:adamw``, and the plugin that made it.

    Raises:
        ConfigError: No plugin knows the name.
        PluginError: The plugin fails.
    """
    for plugin in hooks.implementers(RESOLVE):
        optimizer = _ask(hooks, plugin, RESOLVE, name=name)
        if optimizer is not None:
            check_resolved(optimizer, name, f"plugin {plugin}: {RESOLVE}")
            return optimizer, plugin
    prefix = name.partition(":")[0]
    raise ConfigError(
        f"unknown optimizer '{name}'; no installed plugin knows the prefix '{prefix}:'"
        f"{_missing_plugin(prefix)}"
    )


def resolve_dataset(
    hooks: HookManager, name: str, values: Mapping[str, Value]
) -> type[DatasetSource]:
    """Return the dataset in a file.

    Args:
        hooks: Hook implementations of the plugins.
        name: Name of the file, e.g. ``houses.csv``.
        values: Values in brackets, e.g. the name of the target column.

    Raises:
        ConfigError: No plugin reads files of this kind, or the file cannot be read.
        PluginError: The plugin fails.
    """
    for plugin in hooks.implementers(RESOLVE_DATASET):
        source = _ask(hooks, plugin, RESOLVE_DATASET, name=name, values=values)
        if source is None:
            continue
        if not DATASETS.fits(source):
            raise PluginError(
                f"plugin {plugin}: {RESOLVE_DATASET} returned {short_repr(source)}, not "
                f"{DATASETS.expected}"
            )
        return of_file(source, name, tuple(values.items()))
    raise ConfigError(f"no installed plugin reads files such as '{name}'; save it as CSV")


def adapt_optimizer(
    hooks: HookManager, item: Any, arguments: Mapping[str, Any]
) -> tuple[Optimizer, dict[str, Value]]:
    """Return an optimizer that runs a class or function of another library.

    Args:
        hooks: Hook implementations of the plugins.
        item: The class or function.
        arguments: Arguments of it that are fixed, by name.

    Returns:
        The optimizer, and the values of its hyperparameters that are fixed.

    Raises:
        ConfigError: No plugin knows the item, or an argument is not a hyperparameter.
        PluginError: The item cannot be run, or the plugin fails.
    """
    for plugin in hooks.implementers(ADAPT):
        answer = _ask(hooks, plugin, ADAPT, item=item, arguments=arguments)
        if answer is None:
            continue
        where = f"plugin {plugin}: {ADAPT}"
        if not (isinstance(answer, tuple) and len(answer) == 2 and OPTIMIZERS.fits(answer[0])):
            raise PluginError(
                f"{where} returned {short_repr(answer)}, not an optimizer and its values"
            )
        optimizer, values = answer
        check_resolved(optimizer, optimizer.name, where)
        return optimizer, dict(values)
    hint = "give a name, or a Rule or Stepper class"
    if isinstance(item, type):
        library = _library(item)
        hint += f"; no installed plugin adapts optimizers of {library}"
        if not any(f"optbench-{library}" in plugin for plugin in hooks.implementers(ADAPT)):
            hint += _missing_plugin(library)
    elif callable(item):
        library = str(getattr(item, "__module__", "another library")).partition(".")[0]
        hint += (
            f"; no installed plugin adapts functions of {library}; of a class, functools.partial "
            "fixes values"
        )
    elif type(item).__module__ != "builtins":
        hint = f"pass the class {type(item).__name__}, not an instance"
    raise ConfigError(f"{short_repr(item)} is not an optimizer; {hint}")


def _library(item: type) -> str:
    """Return the package of the outermost base of a class: that of the library it is made for."""
    modules = [cls.__module__ for cls in item.__mro__ if cls.__module__ != "builtins"]
    return modules[-1].partition(".")[0] if modules else "builtins"


def _missing_plugin(library: str) -> str:
    """Return which distribution to install, by the usual name of an adapter, or ''."""
    return f" (is optbench-{library} installed?)" if library.isidentifier() else ""


def _ask(hooks: HookManager, plugin: str, hook: str, **arguments: Any) -> Any:
    try:
        return hooks.call(hook, plugin, **arguments)
    except OptbenchError:
        raise
    except (Exception, SystemExit) as cause:
        raise PluginError(f"plugin {plugin}: {hook} raised {describe_error(cause)}") from cause
