"""What the registry holds: things with a name, and the plugins that brought them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = ("optimizers", "initializers", "datasets", "landscapes", "suites")
"""What a user can name."""
HOOKS = (*KINDS, "targets")
"""What plugins register, each by a hook ``optbench_register_<it>``."""
ON_DEMAND = "optimizers on demand"
"""Names that a plugin lists without making the optimizers yet."""


class PluginWarning(UserWarning):
    """A plugin was left out because it does not load."""


@dataclass(frozen=True)
class Entry:
    """One registered thing and where it came from."""

    name: str
    item: Any
    distribution: str
    version: str


@dataclass(frozen=True)
class OnDemand:
    """Stands for an optimizer that is made when it is asked for."""

    text: str

    def summary(self) -> str:
        """What it is, in one line."""
        return self.text


@dataclass
class LoadedPlugin:
    """One plugin: what it brought, or why it did not load."""

    name: str
    distribution: str
    version: str
    origin: str
    error: str = ""
    provides: dict[str, list[str]] = field(default_factory=dict)
