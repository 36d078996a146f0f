"""A registry that also knows objects that were passed where a name is expected.

Lookups go to the passed objects first, and then to the registry of the process, where nothing is
registered. A passed object is known by its own name: the ``name`` of its class, or the name of the
class in kebab-case.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from optbench.contracts import DatasetSource, Initializer, Optimizer, Value
from optbench.errors import ConfigError
from optbench.records import spell
from optbench.registry.code_origins import is_interactive
from optbench.registry.declared_values import LONGEST_NAME, is_name, short_repr
from optbench.registry.default import default_registry
from optbench.registry.entries import Entry
from optbench.registry.fingerprints import fingerprint
from optbench.registry.kinds import DATASETS, INITIALIZERS, OPTIMIZERS, Kind
from optbench.registry.registry import Registry
from optbench.registry.subclasses import make_subclass
from optbench.registry.validation import find_fault

PASSED = "passed as an object"
"""Distribution of passed objects."""

T = TypeVar("T")

OptimizerLike = Any
"""A name, a Rule or Stepper class, or a class or function that an adapter knows.

`functools.partial` fixes values: ``partial(MyRule, lr=0.1)``.
"""


InitializerLike = str | type[Initializer]
"""A name, or an Initializer class."""


@dataclass(frozen=True)
class PassedObject:
    """An object that was passed where a name is expected.

    Attributes:
        kind: Plural of its kind, e.g. ``"optimizers"``.
        item: The object, without the arguments of a `functools.partial`.
    """

    kind: str
    item: Any


class ScopedRegistry(Registry):
    """Looks up passed objects first, then what the registry below it has.

    Args:
        base: The registry below; the one of the process if None.

    Attributes:
        passed: The objects that are not in the registry below.
    """

    def __init__(self, base: Registry | None = None) -> None:
        super().__init__()
        self._base = base or default_registry()
        self.plugins = self._base.plugins
        self.passed: list[PassedObject] = []
        self._names: dict[tuple[str, str], Any] = {}

    # -- passing objects ----------------------------------------------------------------------

    def optimizer_text(self, optimizer: OptimizerLike) -> str:
        """Return the spelling of an optimizer; an object is known to this registry from then on.

        Args:
            optimizer: A spelling such as ``"adam[lr=0.01]"``, which is returned as it is; or a
                Rule or Stepper class, or what an adapter makes one of, perhaps in a
                `functools.partial` that fixes values.

        Raises:
            ConfigError: It is not an optimizer, or its name belongs to another one.

        Example:
            >>> from optbench import Rule, hyper
            >>> class PlainDescent(Rule):
            ...     lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
            ...     @staticmethod
            ...     def update(theta, grad, t, h):
            ...         return (theta - h.lr * grad,)
            >>> scope = ScopedRegistry()
            >>> scope.optimizer_text(functools.partial(PlainDescent, lr=0.5))
            'plain-descent[lr=0.5]'
            >>> scope.optimizer("plain-descent").summary()
            ''
        """
        if isinstance(optimizer, str):
            return optimizer
        cls, values = optimizer_class(optimizer, self._base)
        return spell(self._pass(OPTIMIZERS, cls, _unwrapped(optimizer)[0]), values)

    def initializer_text(self, initializer: str | type[Initializer]) -> str:
        """Return the spelling of an initializer, as `optimizer_text` does.

        Raises:
            ConfigError: It is not an initializer, or its name belongs to another one.
        """
        if isinstance(initializer, str):
            return initializer
        item, values = _unwrapped(initializer)
        if not INITIALIZERS.fits(item):
            raise ConfigError(
                f"{short_repr(initializer)} is not an initializer; give a name, or an Initializer "
                "class" + (", or call its diagnose()" if hasattr(item, "diagnose") else "")
            )
        return spell(self._pass(INITIALIZERS, item, item), values)

    def dataset_name(self, dataset: str | type[DatasetSource]) -> str:
        """Return the spelling of a dataset, as `optimizer_text` does for an optimizer.

        Raises:
            ConfigError: It is not a dataset, or its name belongs to another one.
        """
        if isinstance(dataset, str):
            return dataset
        item, values = _unwrapped(dataset)
        if not DATASETS.fits(item):
            raise ConfigError(
                f"{short_repr(dataset)} is not a dataset; give a name, a DatasetSource class, a "
                "pair of arrays (x, y), or a data frame"
            )
        return spell(self._pass(DATASETS, item, item), values)

    def pass_object(self, item: Any) -> str:
        """Return the spelling of a class of any kind, or of what an adapter knows.

        Raises:
            ConfigError: It is neither, or its name belongs to another object.
        """
        if INITIALIZERS.fits(item):
            return self.initializer_text(item)
        return self.dataset_name(item) if DATASETS.fits(item) else self.optimizer_text(item)

    def _pass(self, kind: Kind[Any], cls: type, item: object) -> str:
        """Return the name of a class; keep it unless the registry below has it under this name."""
        name: str = _name_of(cls)
        if not is_name(name):
            raise ConfigError(
                f"{short_repr(cls)} has the name {short_repr(name)}; names are kebab-case, "
                f"of at most {LONGEST_NAME} characters"
            )
        if fault := find_fault(cls):
            raise ConfigError(f"{kind.singular} '{name}' {fault}")
        known = self._names.setdefault((kind.plural, name), item)
        if known is not item:
            raise _taken(kind, name, "another object of that name is passed as well")
        if name in self._base.entries(kind):
            entry = self._base.entries(kind)[name]
            if entry.item is not cls:
                raise _taken(kind, name, f"{entry.distribution} registers another one")
        elif not self._is_resolved(kind, name, cls):
            code = fingerprint(cls) if is_interactive(item) else ""
            self._table.remove(kind.plural, name, PASSED)
            self._table.add(kind.plural, Entry(name, _named(cls, name, code), PASSED, ""))
            self.passed.append(PassedObject(kind.plural, item))
        return name

    def _is_resolved(self, kind: Kind[Any], name: str, cls: type) -> bool:
        """Whether the registry below makes this very class on demand, so that a name is enough."""
        if kind is not OPTIMIZERS or ":" not in name:
            return False
        try:
            return self._base.entry(OPTIMIZERS, name).item is cls
        except ConfigError:
            return False

    def is_passed(self, kind: str, name: str) -> bool:
        """Return whether a name belongs to an object that was passed."""
        return self._table.find(kind, name) is not None

    # -- looking up ---------------------------------------------------------------------------

    def entries(self, kind: Any) -> Mapping[str, Entry[Any]]:
        """Return everything of one kind: passed objects and what is registered, by name."""
        return dict(sorted({**self._base.entries(kind), **super().entries(kind)}.items()))

    def conflict(self, kind: str, name: str) -> str:
        """Return a sentence about a name that two things have, unless it was passed."""
        return "" if self.is_passed(kind, name) else self._base.conflict(kind, name)

    def listed(self, kind: str) -> Mapping[str, Entry[Any]]:
        """Return `entries`, with the optimizers that are made on demand at the end."""
        return {**super().entries(kind), **self._base.listed(kind)}

    def entry(self, kind: Any, name: str) -> Entry[Any]:
        """Return the entry of this kind and name.

        Raises:
            ConfigError: There is none; the message has the nearest name.
        """
        passed = super().entries(kind)
        return passed[name] if name in passed else self._base.entry(kind, name)

    def _dataset_in_file(self, name: str, values: Mapping[str, Value]) -> type[DatasetSource]:
        return self._base._dataset_in_file(name, values)


def optimizer_class(
    optimizer: Any, registry: Registry | None = None
) -> tuple[Optimizer, dict[str, Value]]:
    """Return the optimizer that an object stands for, and the values that it fixes.

    Args:
        optimizer: As for `ScopedRegistry.optimizer_text`, but not a spelling.
        registry: Whose plugins are asked; the one of the process if None.

    Raises:
        ConfigError: It is not an optimizer, or its declaration is faulty.
    """
    item, arguments = _unwrapped(optimizer)
    if OPTIMIZERS.fits(item):
        if fault := find_fault(item):
            raise ConfigError(f"optimizer '{_name_of(item)}' {fault}")
        return item, arguments
    return (registry or default_registry()).adapt_optimizer(item, arguments)


def _name_of(cls: type) -> Any:
    """Return the name that a class gives itself, or its own in kebab-case."""
    return vars(cls).get("name") or kebab_case(cls.__name__)


def kebab_case(name: str) -> str:
    """Return the name of a class in kebab-case.

    Example:
        >>> kebab_case("MyRule"), kebab_case("AdamW2"), kebab_case("SGD_plus")
        ('my-rule', 'adam-w2', 'sgd-plus')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _unwrapped(item: Any) -> tuple[Any, dict[str, Any]]:
    """The class or function in a `functools.partial`, and the arguments that it fixes."""
    if not isinstance(item, functools.partial):
        return item, {}
    if item.args:
        raise ConfigError(f"{short_repr(item.func)}: a partial fixes its values by name only")
    return item.func, dict(item.keywords)


@functools.lru_cache(maxsize=64)
def _named(cls: type[T], name: str, code: str) -> type[T]:
    """The class under its name; a new class where its code has changed, which is compiled again.

    A class that can be imported under this name is returned as it is.
    """
    if vars(cls).get("name") == name and not code:
        return cls
    version = ", ".join(filter(None, (getattr(cls, "version", ""), code)))
    return make_subclass(cls, {"name": name, "version": version})


def _taken(kind: Kind[Any], name: str, why: str) -> ConfigError:
    return ConfigError(
        f"{kind.singular} '{name}': {why}; set `name` in the class to tell them apart"
    )
