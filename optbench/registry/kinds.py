"""The kinds of things that plugins register, each through a hook of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from optbench.contracts import (
    DatasetSource,
    Initializer,
    Landscape,
    Optimizer,
    ReportSection,
    Rule,
    Schedule,
    Stepper,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """One kind of thing.

    Attributes:
        plural: Name of the kind, e.g. ``"optimizers"``.
        expected: What the hook returns a list of, in words for an error message.
        fits: Whether an object can be of this kind.
    """

    plural: str
    expected: str
    fits: Callable[[object], bool]

    @property
    def hook(self) -> str:
        """Name of the hook that registers things of this kind."""
        return f"optbench_register_{self.plural}"

    @property
    def singular(self) -> str:
        """Name of one thing of this kind."""
        return self.plural.removesuffix("s")


def _is_class(*bases: type) -> Callable[[object], bool]:
    return lambda item: isinstance(item, type) and issubclass(item, bases)


def _is_toml(item: object) -> bool:
    return isinstance(item, Path) and item.suffix == ".toml"


def _is_command(item: object) -> bool:
    """Whether it looks like a command of click, which only the command line imports."""
    return not isinstance(item, type) and all(
        hasattr(item, name) for name in ("name", "params", "main")
    )


OPTIMIZERS: Kind[Optimizer] = Kind(
    "optimizers", "Rule or Stepper classes", _is_class(Rule, Stepper)
)
INITIALIZERS: Kind[type[Initializer]] = Kind(
    "initializers", "Initializer classes", _is_class(Initializer)
)
DATASETS: Kind[type[DatasetSource]] = Kind(
    "datasets", "DatasetSource classes", _is_class(DatasetSource)
)
LANDSCAPES: Kind[type[Landscape]] = Kind("landscapes", "Landscape classes", _is_class(Landscape))
SCHEDULES: Kind[type[Schedule]] = Kind("schedules", "Schedule classes", _is_class(Schedule))
REPORTS: Kind[type[ReportSection]] = Kind(
    "reports", "ReportSection classes", _is_class(ReportSection)
)
SUITES: Kind[Path] = Kind("suites", "paths of TOML files", _is_toml)
COMMANDS: Kind[Any] = Kind("commands", "click commands", _is_command)
TARGETS: Kind[Path] = Kind("targets", "paths of TOML files", _is_toml)

REGISTERED: dict[str, Kind[Any]] = {
    kind.plural: kind
    for kind in (
        OPTIMIZERS,
        INITIALIZERS,
        DATASETS,
        LANDSCAPES,
        SCHEDULES,
        SUITES,
        TARGETS,
        REPORTS,
        COMMANDS,
    )
}
"""Every kind, by its name."""

KINDS = tuple(name for name, kind in REGISTERED.items() if kind not in (TARGETS, REPORTS, COMMANDS))
"""Kinds of things that a user can name."""
