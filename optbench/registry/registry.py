"""The registry: loads plugins one by one and looks up what they register.

Built-in optimizers come in through the same entry-point group as those of other distributions. A
plugin that does not load is recorded with its cause and left out; a name that two things have is
refused, and only this name.

The file is longer than others because loading and looking up share the same tables.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import PurePath
from typing import Any, TypeVar, overload

from optbench.contracts import DatasetSource, Initializer, Landscape, Optimizer, Schedule, Value
from optbench.errors import (
    ConfigError,
    PluginError,
    PluginWarning,
    describe_error,
    place_in_file,
    unknown_name,
)
from optbench.hyperparameters import has_values, parse_spelling
from optbench.registry.adaptation import adapt_optimizer, resolve_dataset, resolve_optimizer
from optbench.registry.dataset_values import TRAIN_SIZE, is_file_name, with_values
from optbench.registry.entries import ON_DEMAND, Entry, LoadedPlugin, OnDemand
from optbench.registry.hook_manager import HookManager
from optbench.registry.kinds import (
    DATASETS,
    INITIALIZERS,
    KINDS,
    LANDSCAPES,
    OPTIMIZERS,
    REGISTERED,
    SCHEDULES,
    Kind,
)
from optbench.registry.loading import import_plugin, library_classes, with_hooks
from optbench.registry.name_table import NameTable
from optbench.registry.validation import named_items, names_on_demand
from optbench.support.distributions import entry_points_of, name_and_version
from optbench.support.text import join_names

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
    """

    def __init__(self) -> None:
        self._hooks = HookManager()
        self._table = NameTable((*REGISTERED, ON_DEMAND))
        self._resolved: dict[str, Entry[Optimizer]] = {}
        self.plugins: list[LoadedPlugin] = []
        self._causes: dict[str, BaseException] = {}

    # -- loading ------------------------------------------------------------------------------

    def load_entry_points(self, points: Iterable[EntryPoint] | None = None) -> None:
        """Load every installed plugin; one that fails is recorded and left out.

        Args:
            points: Entry points to load, by default those of all installed distributions.
        """
        points = entry_points_of(GROUP) if points is None else points
        loaded = set()
        for point in sorted(points, key=lambda p: (name_and_version(p), p.name)):
            name, version = name_and_version(point)
            # A distribution may be in several folders, such as lib and lib64; Python imports one.
            if (name, point.value) in loaded:
                continue
            loaded.add((name, point.value))
            origin = f"entry point {point.value}"
            self._load(LoadedPlugin(f"{name}:{point.name}", name, version, origin), point.load)

    def load_named(self, target: str) -> None:
        """Load a plugin from a file (``path/to/file.py``) or an importable module.

        Raises:
            PluginError: It does not import or does not register anything.
        """
        plugin = LoadedPlugin(target, target, "", "--plugin")
        self._load(plugin, lambda: import_plugin(target))
        if not plugin.error and not any(plugin.provides.values()):
            plugin.error = "registers nothing; " + self._describe_cure(target)
        if plugin.error:
            self.unregister(plugin)  # so that it can be loaded again once it is mended
            raise PluginError(f"plugin {target}: {plugin.error}") from self._causes.get(target)

    def _describe_cure(self, target: str) -> str:
        """Say how a plugin that registers nothing could be used."""
        for name, library in library_classes(import_plugin(target)):
            if library in self._prefixes():
                stem = PurePath(target).stem
                return (
                    f"class {name} derives from {library}: leave --plugin out, and write "
                    f"-o {library}:{stem}.{name} with PYTHONPATH set to the folder of {stem}"
                )
        return (
            "it needs a function marked @optbench.hookimpl, or a class in the file with `name`, "
            "which derives from Rule, Stepper, Initializer or DatasetSource"
        )

    def _prefixes(self) -> list[str]:
        """Return the libraries of which optimizers are made on demand, e.g. ``torch``."""
        return sorted({name.partition(":")[0] for name in self.entries(ON_DEMAND)})

    def load_once(self, target: str) -> LoadedPlugin:
        """Load a plugin as `load_named` does, unless it is loaded already.

        Other threads wait until it is.

        Returns:
            The plugin.

        Raises:
            PluginError: It does not import or does not register anything.
        """
        with LOADING:
            if target not in {plugin.name for plugin in self.plugins}:
                self.load_named(target)
            return next(plugin for plugin in self.plugins if plugin.name == target)

    def _load(self, plugin: LoadedPlugin, importer: Callable[[], Any]) -> None:
        self.plugins.append(plugin)
        try:
            module = with_hooks(importer())
            other = self._hooks.name_of(module)
            if other is None:
                self.register(module, plugin)
            else:  # the same module under another name
                provides = next(each.provides for each in self.plugins if each.name == other)
                plugin.provides = dict(provides)
        except KeyboardInterrupt:
            raise
        except BaseException as cause:  # a plugin may even call sys.exit while it is imported
            self._causes[plugin.name] = cause
            place = place_in_file(cause, plugin.name)
            plugin.error = describe_error(cause) + (f" ({place})" if place else "")

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
                self._table.add(kind, entry)
            plugin.provides[kind] = [entry.name for entry in entries]
        return plugin

    def unregister(self, plugin: LoadedPlugin) -> None:
        """Remove a plugin and everything that it registered."""
        self._hooks.unregister(plugin.name)
        self.plugins.remove(plugin)
        self._resolved.clear()
        for kind, names in plugin.provides.items():
            for name in names:
                self._table.remove(kind, name, plugin.distribution)

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

    # -- looking up ---------------------------------------------------------------------------

    @property
    def conflicts(self) -> list[str]:
        """One sentence for each name that two different things have."""
        return self._table.conflicts

    def check(self, strict: bool = False) -> None:
        """Warn of names that two things have and of plugins left out; refuse both if `strict`.

        Raises:
            PluginError: `strict` is set, and a name is taken twice or a plugin does not load.
        """
        faults = [(sentence, "") for sentence in self.conflicts]
        faults += [
            (f"plugin {plugin.name} does not load: {plugin.error}", plugin.name)
            for plugin in self.plugins
            if plugin.error
        ]
        for text, name in faults:
            if strict:
                raise PluginError(text) from self._causes.get(name)
            warnings.warn(text, PluginWarning, stacklevel=2)

    @overload
    def entries(self, kind: Kind[T]) -> Mapping[str, Entry[T]]: ...
    @overload
    def entries(self, kind: str) -> Mapping[str, Entry[Any]]: ...
    def entries(self, kind: Kind[Any] | str) -> Mapping[str, Entry[Any]]:
        """Return everything of one kind (``"optimizers"``, ...), sorted by name.

        Names that two things have are left out.
        """
        return self._table.entries(_name(kind))

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
            PluginError: Two things have this name; the message names both distributions.
        """
        kind = _name(kind)
        if entry := self._table.find(kind, name):
            return entry
        if kind == "optimizers" and ":" in name:
            self._table.find(ON_DEMAND, name)
            return self._resolve(name)
        if kind == "optimizers" and "." in name and self._prefixes():
            spelled = join_names([f"{prefix}:{name}" for prefix in self._prefixes()], last="or")
            raise ConfigError(
                f"unknown optimizer '{name}'; a class of another library has a prefix: {spelled}"
            )
        listing = f"optbench list {kind}" if kind in KINDS else ""
        raise unknown_name(kind.removesuffix("s"), name, self.entries(kind), listing=listing)

    def entry_of(self, plugin: LoadedPlugin, kind: str, name: str) -> Entry[Any]:
        """Return what a plugin has under this name, even if another plugin has the name as well.

        Raises:
            PluginError: The plugin itself has two things of this name.
        """
        return self._table.find_of(kind, name, plugin.distribution) or self.entry(kind, name)

    def conflict(self, kind: str, name: str) -> str:
        """Return the sentence of `conflicts` about a name, or an empty one."""
        return self._table.conflict(kind, name)

    def kinds_of(self, name: str, kinds: Iterable[str]) -> list[str]:
        """Return those of the kinds in which something has this name.

        Raises:
            PluginError: Two things of one kind have this name.
        """
        kinds = tuple(kinds)
        for conflict in filter(None, (self.conflict(kind, name) for kind in kinds)):
            raise PluginError(conflict)
        return [kind for kind in kinds if name in self.entries(kind)]

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
            name: Name, or the name of a file; values in brackets allowed: ``"moons[n=400]"``,
                ``"houses.csv[target=price]"``.

        Raises:
            ConfigError: There is none of this name, or a value is not allowed.
        """
        family, values = parse_spelling(name) if has_values(name) else (name, {})
        if not is_file_name(family):
            source = self.entry(DATASETS, family).item
            return with_values(source, values) if values else source
        size = {TRAIN_SIZE: values.pop(TRAIN_SIZE)} if TRAIN_SIZE in values else {}
        source = self._dataset_in_file(family, values)
        return with_values(source, size) if size else source

    def _dataset_in_file(self, name: str, values: Mapping[str, Value]) -> type[DatasetSource]:
        return resolve_dataset(self._hooks, name, values)


def _name(kind: Kind[Any] | str) -> str:
    return kind if isinstance(kind, str) else kind.plural
