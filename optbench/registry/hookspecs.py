"""The hooks that plugins implement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pluggy

from optbench.contracts import (
    DatasetSource,
    Initializer,
    Landscape,
    Optimizer,
    ReportSection,
    Schedule,
    Value,
)

hookspec = pluggy.HookspecMarker("optbench")
hookimpl = pluggy.HookimplMarker("optbench")


@hookspec
def optbench_register_optimizers() -> list[Optimizer]:  # type: ignore[empty-body]
    """Return Rule and Stepper classes."""


@hookspec
def optbench_register_initializers() -> list[type[Initializer]]:  # type: ignore[empty-body]
    """Return Initializer classes."""


@hookspec
def optbench_register_datasets() -> list[type[DatasetSource]]:  # type: ignore[empty-body]
    """Return DatasetSource classes."""


@hookspec
def optbench_register_landscapes() -> list[type[Landscape]]:  # type: ignore[empty-body]
    """Return Landscape classes: functions of two variables for ``optbench trajectory``."""


@hookspec
def optbench_register_schedules() -> list[type[Schedule]]:  # type: ignore[empty-body]
    """Return Schedule classes: learning-rate schedules for any optimizer."""


@hookspec
def optbench_register_suites() -> list[Path]:  # type: ignore[empty-body]
    """Return paths of suite files (TOML); a suite's name is its file's stem."""


@hookspec
def optbench_register_targets() -> list[Path]:  # type: ignore[empty-body]
    """Return paths of files of frozen losses (TOML, made by ``optbench targets``)."""


@hookspec
def optbench_register_reports() -> list[type[ReportSection]]:  # type: ignore[empty-body]
    """Return ReportSection classes: tables and figures that appear in every report."""


@hookspec
def optbench_register_commands() -> list[Any]:  # type: ignore[empty-body]
    """Return click commands, which become commands of ``optbench``."""


@hookspec(firstresult=True)
def optbench_resolve_optimizer(name: str) -> Optimizer | None:
    """Return the optimizer for a name such as ``torch:adamw`` that is not listed, or None."""


@hookspec(firstresult=True)
def optbench_resolve_dataset(name: str, values: Mapping[str, Value]) -> type[DatasetSource] | None:
    """Return the dataset in a file such as ``houses.csv`` with the values in brackets, or None."""


@hookspec(firstresult=True)
def optbench_adapt_optimizer(
    item: Any, arguments: Mapping[str, Any]
) -> tuple[Optimizer, Mapping[str, Value]] | None:
    """Return an optimizer for a class or function of another library and its values, or None."""


@hookspec
def optbench_list_optimizers() -> dict[str, str]:  # type: ignore[empty-body]
    """Return name and summary of what `optbench_resolve_optimizer` makes, importing nothing big."""
