"""What the registry holds: named things, and the plugins that they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from optbench.errors import PluginWarning

__all__ = ["ON_DEMAND", "OWN_DISTRIBUTION", "Entry", "LoadedPlugin", "OnDemand", "PluginWarning"]

T_co = TypeVar("T_co", covariant=True)

OWN_DISTRIBUTION = "optbench"
ON_DEMAND = "optimizers on demand"
"""Kind of the names that a plugin lists without making the optimizers."""


@dataclass(frozen=True)
class Entry(Generic[T_co]):
    """One registered thing.

    Attributes:
        name: Name that users give.
        item: The thing itself: a class, or the path of a file.
        distribution: Distribution that it comes from; a path or a module for ``--plugin``.
        version: Version of the distribution.
    """

    name: str
    item: T_co
    distribution: str
    version: str

    @property
    def is_builtin(self) -> bool:
        """Whether it comes with optbench itself."""
        return self.distribution == OWN_DISTRIBUTION


@dataclass(frozen=True)
class OnDemand:
    """Placeholder of an optimizer that is made at its first use."""

    text: str

    def summary(self) -> str:
        """Return the one-line summary."""
        return self.text


@dataclass
class LoadedPlugin:
    """One plugin.

    Attributes:
        name: Unique name: distribution and entry point, or the value of ``--plugin``.
        distribution: Distribution that it comes from.
        version: Version of the distribution.
        origin: How it was found.
        error: Why it does not load; empty if it does.
        provides: Names that it registers, by kind.
    """

    name: str
    distribution: str
    version: str
    origin: str
    error: str = ""
    provides: dict[str, list[str]] = field(default_factory=dict)
