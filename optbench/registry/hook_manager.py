"""Calls the hooks of one plugin at a time, through pluggy.

One plugin at a time, so that a broken plugin does not stop the others. Implementations that cannot
be called like that, or not at all, are refused when the plugin is registered.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pluggy

from optbench.errors import PluginError, unknown_name
from optbench.registry import hookspecs
from optbench.support.text import one_line

HOOKS: dict[str, Callable[..., Any]] = {
    name: item for name, item in vars(hookspecs).items() if hasattr(item, "optbench_spec")
}
"""Declaration of every hook, by name."""


class HookManager:
    """The hook implementations of all plugins."""

    def __init__(self) -> None:
        self._pluggy = pluggy.PluginManager("optbench")
        self._pluggy.add_hookspecs(hookspecs)

    def register(self, plugin: object, name: str) -> None:
        """Add a plugin's implementations.

        Raises:
            PluginError: An implementation that cannot be called, with what to change; or the
                plugin is registered already.
        """
        self._check_implementations(plugin)
        try:
            self._pluggy.register(plugin, name=name)
        except (pluggy.PluginValidationError, ValueError) as cause:
            raise PluginError(one_line(str(cause))) from cause

    def name_of(self, plugin: object) -> str | None:
        """Return the name under which a plugin is registered, or None."""
        return self._pluggy.get_name(plugin)

    def unregister(self, name: str) -> None:
        """Remove a plugin's implementations, if there are any."""
        if self._pluggy.has_plugin(name):
            self._pluggy.unregister(name=name)

    def implementers(self, hook: str) -> list[str]:
        """Return the names of the plugins that implement a hook, in the order of calls."""
        caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
        return [implementation.plugin_name for implementation in reversed(caller.get_hookimpls())]

    def call(self, hook: str, plugin_name: str, **arguments: object) -> Any:
        """Call the implementations of one plugin.

        Returns:
            The list of results, or the first result that is not None for a hook declared with
            ``firstresult``.
        """
        own = self._pluggy.get_plugin(plugin_name)
        others = [each for each in self._pluggy.get_plugins() if each is not own]
        caller = self._pluggy.subset_hook_caller(hook, others)
        result = caller(**arguments)
        if caller.spec is not None and caller.spec.opts.get("firstresult"):
            return result
        # pluggy leaves out a None, which the registry must see to refuse it.
        return [*result, *[None] * (len(caller.get_hookimpls()) - len(result))]

    def _check_implementations(self, plugin: object) -> None:
        marked = dict(self._marked(plugin))
        for attribute, options in marked.items():
            hook = options.get("specname") or attribute
            if hook in HOOKS:
                _check_one(hook, getattr(plugin, attribute), options)
            elif not options.get("optionalhook"):
                raise PluginError(str(unknown_name("hook", hook, HOOKS)))
        for hook in HOOKS.keys() - marked.keys():
            if inspect.isroutine(inspect.getattr_static(plugin, hook, None)):
                raise PluginError(f"{hook} is not marked; put @optbench.hookimpl above it")

    def _marked(self, plugin: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for attribute in dir(plugin):
            options = self._pluggy.parse_hookimpl_opts(plugin, attribute)
            if options is not None:
                yield attribute, options


def _check_one(hook: str, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
    if options.get("wrapper") or options.get("hookwrapper"):
        raise PluginError(
            f"{hook} is a wrapper; optbench calls each plugin's hooks by themselves, so there is "
            "nothing to wrap: drop the option and return the result"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(f"{hook} is a generator; return the result instead of yielding it")
    if inspect.iscoroutinefunction(function):
        raise PluginError(f"{hook} is a coroutine; define it with def, not with async def")
    declared = list(inspect.signature(HOOKS[hook]).parameters)
    if not _takes(function, declared):
        name = getattr(function, "__name__", hook)
        raise PluginError(
            f"{hook} is declared as {hook}({', '.join(declared)}), not as "
            f"{name}{inspect.signature(function)}; use these arguments and no others"
        )


def _takes(function: Callable[..., Any], arguments: Sequence[str]) -> bool:
    """Whether a function requires exactly these arguments.

    The manager passes arguments by position, and none that has a default.
    """
    required = [p for p in inspect.signature(function).parameters.values() if _is_required(p)]
    return {p.name for p in required} == set(arguments) and all(
        p.kind is not p.KEYWORD_ONLY for p in required
    )


def _is_required(parameter: inspect.Parameter) -> bool:
    variable = (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and parameter.kind not in variable
