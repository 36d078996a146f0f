"""The registry: loads plugins one by one and looks up what they register.

Built-in optimizers come in through the same entry-point group as those of other distributions. A
plugin that does not load is recorded with its cause and left out; two things of one name are
refused.

The file is longer than others because loading and looking up share the same tables.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, overload

from optbench.contracts import DatasetSource, Initializer, Landscape, Optimizer, Schedule, Value
from optbench.errors import (
    PluginError,
    PluginWarning,
    describe_error,
    unknown_name,
)
from optbench.hyperparameters import parse_spelling
from optbench.registry.adaptation import adapt_optimizer, resolve_optimizer
from optbench.registry.dataset_values import with_values
from optbench.registry.entries import ON_DEMAND, Entry, LoadedPlugin, OnDemand
from optbench.registry.hook_manager import HookManager
from optbench.registry.kinds import (
    DATASETS,
    INITIALIZERS,
    LANDSCAPES,
    OPTIMIZERS,
    REGISTERED,
    SCHEDULES,
    Kind,
)
from optbench.registry.loading import import_plugin, with_hooks
from optbench.registry.validation import named_items, names_on_demand

GROUP = "optbench"
"""Entry-point group of plugins."""
LOADING = threading.RLock()
"""Held while a plugin is loaded. Reentrant, because a plugin may ask for the registry."""

LIST = "optbench_list_optimizers"

T = TypeVar("T")


class Registry:
    """Everything that plugins register, by kind and name.

    Attributes:
        plugins: The plugins found, also those that do not load.
        conflicts: One sentence for each name that is registered twice.
    """

    def __init__(self) -> None:
        self._hooks = HookManager()
        self._entries: dict[str, dict[str, Entry[Any]]] = {
            kind: {} for kind in (*REGISTERED, ON_DEMAND)
        }
        self._resolved: dict[str, Entry[Optimizer]] = {}
        self.plugins: list[LoadedPlugin] = []
        self.conflicts: list[str] = []
        self._causes: dict[str, BaseException] = {}

    # -- loading ------------------------------------------------------------------------------

    def load_entry_points(self, points: Iterable[EntryPoint] | None = None) -> None:
        """Load every installed plugin; one that fails is recorded and left out.

        Args:
            points: Entry points to load, by default those of all installed distributions.
        """
        points = entry_points(group=GROUP) if points is None else points
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
            PluginError: It does not import or does not register anything.
        """
        plugin = LoadedPlugin(target, target, "", "--plugin")
        self._load(plugin, lambda: import_plugin(target))
        if not plugin.error and not any(plugin.provides.values()):
            plugin.error = (
                "registers nothing; it needs a function marked @optbench.hookimpl, "
                "or a class in the file"
            )
        if plugin.error:
            self.unregister(plugin)  # so that it can be loaded again once it is mended
            raise PluginError(f"plugin {target}: {plugin.error}") from self._causes.get(target)

    def load_once(self, target: str) -> None:
        """Load a plugin as `load_named` does, unless it is loaded already.

        Other threads wait until it is.

        Raises:
            PluginError: It does not import or does not register anything.
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
        """Register an imported module, or any object with hook implementations.

        Raises:
            PluginError: A hook is misspelt, cannot be called, raises, or returns something of the
                wrong kind. Nothing of the plugin is registered then.
        """
        if plugin is None:
            name = getattr(module, "__name__", type(module).__name__)
            plugin = LoadedPlugin(name, name, "", "registered")
            self.plugins.append(plugin)
        self._hooks.register(module, plugin.name)
        try:
            items = {kind.plural: self._collect(kind, plugin) for kind in REGISTERED.values()}
            if names := self._collect_on_demand(plugin):
                items[ON_DEMAND] = names
        except BaseException as cause:  # also of a property of a class that raises when it is read
            self._hooks.unregister(plugin.name)
            if isinstance(cause, PluginError) or not isinstance(cause, Exception):
                raise
            raise PluginError(describe_error(cause)) from cause
        for kind, entries in items.items():
            for entry in entries:
                self._add(kind, entry)
            plugin.provides[kind] = [entry.name for entry in entries]
        return plugin

    def unregister(self, plugin: LoadedPlugin) -> None:
        """Remove a plugin and everything that it registered."""
        self._hooks.unregister(plugin.name)
        self.plugins.remove(plugin)
        self._resolved.clear()
        for kind, names in plugin.provides.items():
            for name in names:
                entry = self._entries[kind].get(name)
                if entry is not None and entry.distribution == plugin.distribution:
                    del self._entries[kind][name]  # another plugin may have had the name before

    def _collect(self, kind: Kind[T], plugin: LoadedPlugin) -> list[Entry[T]]:
        entries = [
            Entry(name, item, plugin.distribution, plugin.version)
            for items in self._results(kind.hook, plugin)
            for name, item in named_items(kind, items)
        ]
        return sorted(entries, key=lambda entry: entry.name)

    def _collect_on_demand(self, plugin: LoadedPlugin) -> list[Entry[OnDemand]]:
        return [
            Entry(name, OnDemand(text), plugin.distribution, plugin.version)
            for items in self._results(LIST, plugin)
            for name, text in names_on_demand(items)
        ]

    def _results(self, hook: str, plugin: LoadedPlugin) -> list[object]:
        try:
            return list(self._hooks.call(hook, plugin.name))
        except (Exception, SystemExit) as cause:
            raise PluginError(f"{hook} raised {describe_error(cause)}") from cause

    def _add(self, kind: str, entry: Entry[Any]) -> None:
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
            PluginError: A name is taken twice; or a plugin does not load and `strict` is set.
        """
        if self.conflicts:
            raise PluginError(self.conflicts[0])
        for plugin in self.plugins:
            if plugin.error:
                text = f"plugin {plugin.name} does not load: {plugin.error}"
                if strict:
                    raise PluginError(text) from self._causes.get(plugin.name)
                warnings.warn(text, PluginWarning, stacklevel=2)

    @overload
    def entries(self, kind: Kind[T]) -> Mapping[str, Entry[T]]: ...
    @overload
    def entries(self, kind: str) -> Mapping[str, Entry[Any]]: ...
    def entries(self, kind: Kind[Any] | str) -> Mapping[str, Entry[Any]]:
        """Return everything of one kind (``"optimizers"``, ...), sorted by name."""
        return dict(sorted(self._entries[_name(kind)].items()))

    def listed(self, kind: str) -> Mapping[str, Entry[Any]]:
        """Return `entries`, with the optimizers that are made on demand (`OnDemand`) at the end."""
        on_demand = self.entries(ON_DEMAND) if kind == "optimizers" else {}
        return {**self.entries(kind), **on_demand}

    @overload
    def entry(self, kind: Kind[T], name: str) -> Entry[T]: ...
    @overload
    def entry(self, kind: str, name: str) -> Entry[Any]: ...
    def entry(self, kind: Kind[Any] | str, name: str) -> Entry[Any]:
        """Return the entry of this kind and name.

        Raises:
            ConfigError: There is none; the message has the nearest name.
        """
        kind = _name(kind)
        if name in self._entries[kind]:
            return self._entries[kind][name]
        if kind == "optimizers" and ":" in name:
            return self._resolve(name)
        raise unknown_name(kind.removesuffix("s"), name, self._entries[kind])

    def _resolve(self, name: str) -> Entry[Optimizer]:
        """Ask the plugins for an optimizer that is made on demand, e.g. ``torch:adamw``."""
        if name not in self._resolved:
            optimizer, plugin_name = resolve_optimizer(self._hooks, name)
            plugin = next(each for each in self.plugins if each.name == plugin_name)
            entry = Entry(name, optimizer, plugin.distribution, plugin.version)
            self._resolved[name] = entry
        return self._resolved[name]

    def adapt_optimizer(
        self, item: Any, arguments: Mapping[str, Any]
    ) -> tuple[Optimizer, dict[str, Value]]:
        """Return an optimizer for an object, as `adaptation.adapt_optimizer` does."""
        return adapt_optimizer(self._hooks, item, arguments)

    def optimizer(self, name: str) -> Optimizer:
        """Return the optimizer of this name."""
        return self.entry(OPTIMIZERS, name).item

    def initializer(self, name: str) -> type[Initializer]:
        """Return the initializer of this name."""
        return self.entry(INITIALIZERS, name).item

    def landscape(self, name: str) -> type[Landscape]:
        """Return the landscape of this name."""
        return self.entry(LANDSCAPES, name).item

    def schedule(self, name: str) -> type[Schedule]:
        """Return the learning-rate schedule of this name."""
        return self.entry(SCHEDULES, name).item

    def dataset_source(self, name: str) -> type[DatasetSource]:
        """Return the source of a dataset.

        Args:
            name: Name, values in brackets allowed: ``"moons[n=400]"``.

        Raises:
            ConfigError: There is none of this name, or a value is not allowed.
        """
        if "[" not in name:
            return self.entry(DATASETS, name).item
        family, values = parse_spelling(name)
        return with_values(self.entry(DATASETS, family).item, values)


def _name(kind: Kind[Any] | str) -> str:
    return kind if isinstance(kind, str) else kind.plural
