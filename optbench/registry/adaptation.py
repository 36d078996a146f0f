"""Asks plugins for optimizers that they make on demand: from a name, or from an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optbench.contracts import Optimizer, Value
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.registry.hook_manager import HookManager
from optbench.registry.kinds import OPTIMIZERS
from optbench.registry.validation import check_resolved, short_repr

RESOLVE = "optbench_resolve_optimizer"
ADAPT = "optbench_adapt_optimizer"


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
    )


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
    if callable(item):
        library = str(getattr(item, "__module__", "another library")).partition(".")[0]
        hint += f"; no installed plugin adapts optimizers of {library}"
    raise ConfigError(f"{short_repr(item)} is not an optimizer; {hint}")


def _ask(hooks: HookManager, plugin: str, hook: str, **arguments: Any) -> Any:
    try:
        return hooks.call(hook, plugin, **arguments)
    except OptbenchError:
        raise
    except (Exception, SystemExit) as cause:
        raise PluginError(f"plugin {plugin}: {hook} raised {describe_error(cause)}") from cause
