"""Finds plugins, loads them one by one, and hands out what they register.

Built-ins come in through the same entry-point group as anyone's. A plugin that does not load is
recorded with its cause and survived; two things of one name are refused.

Longer than other files because pluggy stays in this one.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from optbench.contracts import DatasetSource, Initializer, Landscape, Optimizer
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error, unknown_name
from optbench.registry import hookspecs
from optbench.registry.entries import (
    HOOKS,
    ON_DEMAND,
    Entry,
    LoadedPlugin,
    OnDemand,
    PluginWarning,
)
from optbench.registry.loading import import_plugin, with_hooks
from optbench.registry.validation import EXPECTED, fault_of, named_items, names_on_demand, shown
from optbench.support.text import one_line

GROUP = "optbench"
LOADING = threading.RLock()
"""Held while a plugin is loaded; again by the same thread when one asks for the registry."""


class Registry:
    """Everything registered, by kind and name."""

    def __init__(self) -> None:
        self._pm = pluggy.PluginManager(GROUP)
        self._pm.add_hookspecs(hookspecs)
        self._entries: dict[str, dict[str, Entry]] = {kind: {} for kind in (*HOOKS, ON_DEMAND)}
        self._resolved: dict[str, Entry] = {}
        self.plugins: list[LoadedPlugin] = []
        self.conflicts: list[str] = []
        self._causes: dict[str, BaseException] = {}

    # -- loading ------------------------------------------------------------------------------

    def load_entry_points(self, found: Iterable[EntryPoint] | None = None) -> None:
        """Load every installed plugin; one that fails is recorded and left out."""
        points = entry_points(group=GROUP) if found is None else found
        for point in sorted(points, key=lambda p: (p.dist.name if p.dist else "", p.name)):
            dist = point.dist
            plugin = LoadedPlugin(
                name=f"{dist.name if dist else '?'}:{point.name}",
                distribution=dist.name if dist else "?",
                version=dist.version if dist else "",
                origin=f"entry point {point.value}",
            )
            self._load(plugin, point.load)

    def load_named(self, target: str) -> None:
        """Load a plugin from a file (``path/to/file.py``) or an importable module.

        Raises:
            PluginError: it does not import or does not register.
        """
        plugin = LoadedPlugin(target, target, "", "--plugin")
        self._load(plugin, lambda: import_plugin(target))
        if not plugin.error and not any(plugin.provides.values()):
            plugin.error = (
                "registers nothing; it needs a function marked @optbench.hookimpl, "
                "or a class in the file"
            )
        if plugin.error:
            self.unregister(plugin)  # whoever mends it may try again
            raise PluginError(f"plugin {target}: {plugin.error}") from self._causes.get(target)

    def load_once(self, target: str) -> None:
        """As `load_named`, unless it is loaded already; other threads wait until it is.

        Raises:
            PluginError: it does not import or does not register.
        """
        with LOADING:
            if target not in {plugin.name for plugin in self.plugins}:
                self.load_named(target)

    def _load(self, plugin: LoadedPlugin, importer: Callable[[], Any]) -> None:
        self.plugins.append(plugin)
        try:
            self.register(with_hooks(importer()), plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as cause:  # a plugin may even call sys.exit while it is imported
            self._causes[plugin.name] = cause
            plugin.error = describe_error(cause)

    def register(self, module: object, plugin: LoadedPlugin | None = None) -> LoadedPlugin:
        """Register an imported module or object with hook implementations.

        Raises:
            PluginError: a misspelt hook, a hook that raises, or a result of the wrong kind.
        """
        if plugin is None:
            name = getattr(module, "__name__", type(module).__name__)
            plugin = LoadedPlugin(name, name, "", "registered")
            self.plugins.append(plugin)
        try:
            self._pm.register(module, name=plugin.name)
            self._refuse_unknown_hooks(module)
        except (pluggy.PluginValidationError, ValueError) as cause:
            if self._pm.has_plugin(plugin.name):
                self._pm.unregister(name=plugin.name)
            raise PluginError(one_line(str(cause))) from cause
        try:
            found = {kind: self._collect(kind, plugin) for kind in HOOKS}
            if demanded := self._collect_on_demand(plugin):
                found[ON_DEMAND] = demanded
        except BaseException as cause:  # also of a property of a class that raises when it is read
            self._pm.unregister(name=plugin.name)
            if isinstance(cause, PluginError) or not isinstance(cause, Exception):
                raise
            raise PluginError(describe_error(cause)) from cause
        for kind, entries in found.items():
            for entry in entries:
                self._add(kind, entry)
            plugin.provides[kind] = [entry.name for entry in entries]
        return plugin

    def _refuse_unknown_hooks(self, module: object) -> None:
        """As pluggy's `check_pending`, with the nearest hook and without the module's repr."""
        for hook in self._pm.get_hookcallers(module) or ():
            asked = any(not each.optionalhook for each in hook.get_hookimpls())
            if asked and not hook.has_spec():
                known = [name for name in vars(hookspecs) if name.startswith("optbench_")]
                raise ValueError(str(unknown_name("hook", hook.name, known)))

    def unregister(self, plugin: LoadedPlugin) -> None:
        """Take a plugin and all it registered out again."""
        if self._pm.has_plugin(plugin.name):
            self._pm.unregister(name=plugin.name)
        self.plugins.remove(plugin)
        self._resolved.clear()
        for kind, names in plugin.provides.items():
            for name in names:
                self._entries[kind].pop(name, None)

    def _collect(self, kind: str, plugin: LoadedPlugin) -> list[Entry]:
        hook = getattr(self._pm.hook, f"optbench_register_{kind}")
        entries = [
            Entry(name, item, plugin.distribution, plugin.version)
            for items in _call(hook, plugin)
            for name, item in named_items(kind, items)
        ]
        return sorted(entries, key=lambda entry: entry.name)

    def _collect_on_demand(self, plugin: LoadedPlugin) -> list[Entry]:
        return [
            Entry(name, OnDemand(text), plugin.distribution, plugin.version)
            for items in _call(self._pm.hook.optbench_list_optimizers, plugin)
            for name, text in names_on_demand(items)
        ]

    def _add(self, kind: str, entry: Entry) -> None:
        present = self._entries[kind].get(entry.name)
        if present is None:
            self._entries[kind][entry.name] = entry
        else:
            self.conflicts.append(
                f"two {kind} are named '{entry.name}': one from {present.distribution}, "
                f"one from {entry.distribution}; rename or uninstall one of them"
            )

    # -- looking up ---------------------------------------------------------------------------

    def check(self, strict: bool = False) -> None:
        """Refuse two things of one name; warn of plugins left out, or refuse them if `strict`.

        Raises:
            PluginError: a name is taken twice; or a plugin does not load and `strict` is set.
        """
        if self.conflicts:
            raise PluginError(self.conflicts[0])
        for plugin in self.plugins:
            if plugin.error:
                text = f"plugin {plugin.name} does not load: {plugin.error}"
                if strict:
                    raise PluginError(text) from self._causes.get(plugin.name)
                warnings.warn(text, PluginWarning, stacklevel=2)

    def entries(self, kind: str) -> Mapping[str, Entry]:
        """Everything of one kind (``"optimizers"``, ...), sorted by name."""
        return dict(sorted(self._entries[kind].items()))

    def listed(self, kind: str) -> Mapping[str, Entry]:
        """As `entries`, and the optimizers that are made on demand (`OnDemand`) after them."""
        demanded = self.entries(ON_DEMAND) if kind == "optimizers" else {}
        return {**self.entries(kind), **demanded}

    def entry(self, kind: str, name: str) -> Entry:
        """What bears this name.

        Raises:
            ConfigError: nothing does; the message has the nearest name.
        """
        if name in self._entries[kind]:
            return self._entries[kind][name]
        if kind == "optimizers" and ":" in name:
            return self._resolve(name)
        raise unknown_name(kind.removesuffix("s"), name, self._entries[kind])

    def _resolve(self, name: str) -> Entry:
        """Ask the plugins for an optimizer that is made on demand, e.g. ``torch:adamw``."""
        if name not in self._resolved:
            for implementation in reversed(
                self._pm.hook.optbench_resolve_optimizer.get_hookimpls()
            ):
                found = self._ask(implementation, name)
                if found is not None:
                    plugin = next(p for p in self.plugins if p.name == implementation.plugin_name)
                    entry = Entry(name, found, plugin.distribution, plugin.version)
                    self._resolved[name] = entry
                    break
            else:
                raise ConfigError(
                    f"unknown optimizer '{name}'; no installed plugin knows the prefix "
                    f"'{name.partition(':')[0]}:'"
                )
        return self._resolved[name]

    def _ask(self, implementation: pluggy.HookImpl, name: str) -> Optimizer | None:
        where = f"plugin {implementation.plugin_name}: optbench_resolve_optimizer"
        try:
            found = implementation.function(name=name)
        except OptbenchError:
            raise
        except (Exception, SystemExit) as cause:
            raise PluginError(f"{where} raised {describe_error(cause)}") from cause
        expected, fits = EXPECTED["optimizers"]
        if found is not None and not fits(found):
            raise PluginError(f"{where} returned {shown(found)}, not one of {expected}")
        if fault := fault_of(found):
            raise PluginError(f"{where}: '{name}' {fault}")
        return found  # type: ignore[return-value]  # `fits` has just checked it

    def optimizer(self, name: str) -> Optimizer:
        """The optimizer of this name."""
        return self.entry("optimizers", name).item  # type: ignore[no-any-return]

    def initializer(self, name: str) -> type[Initializer]:
        """The initializer of this name."""
        return self.entry("initializers", name).item  # type: ignore[no-any-return]

    def landscape(self, name: str) -> type[Landscape]:
        """The landscape of this name."""
        return self.entry("landscapes", name).item  # type: ignore[no-any-return]

    def dataset_source(self, name: str) -> type[DatasetSource]:
        """The source of the dataset of this name."""
        return self.entry("datasets", name).item  # type: ignore[no-any-return]


def _call(hook: pluggy.HookCaller, plugin: LoadedPlugin) -> list[object]:
    """What a plugin's own implementations of a hook return."""
    results = []
    for implementation in hook.get_hookimpls():
        if implementation.plugin_name == plugin.name:
            try:
                results.append(implementation.function())
            except (Exception, SystemExit) as cause:
                raise PluginError(f"{hook.name} raised {describe_error(cause)}") from cause
    return results
