"""A suite with the changes that options or arguments make to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import msgspec

from optbench.errors import ConfigError, PluginError
from optbench.records import Regime, StudyProtocol
from optbench.suites import (
    NetworkChoice,
    Suite,
    WorkloadChoice,
    check_suite,
    find_suite,
    load_suite,
    parse_suite,
)

if TYPE_CHECKING:
    from optbench.registry import Registry

SuiteLike = str | Path | Mapping[str, Any]
"""A suite: the name of a registered one, the path of a TOML file, or the content of one."""

SELECTIONS = (
    "datasets", "initializers", "regimes", "hidden", "activations", "batch_size", "epochs"
)  # fmt: skip
"""Changes that select workloads."""


class SuiteChanges(TypedDict, total=False):
    """New values of fields of `Suite` and of its protocol; None and empty lists change nothing.

    ``hidden`` and ``activations`` replace the networks: every combination of both. ``workloads`` is
    the number of workloads that are drawn.
    """

    optimizers: Sequence[str] | None
    datasets: Sequence[str] | None
    initializers: Sequence[str] | None
    regimes: Sequence[Regime] | None
    hidden: Sequence[Sequence[int]] | None
    activations: Sequence[str] | None
    batch_size: int | None
    epochs: int | Mapping[Regime, int] | None
    workloads: int | None
    ruleset: Literal["defaults", "lr", "full"] | None
    budget: int | None
    seeds: int | None
    replicates: int | None
    stepper_replicates: int | None
    first_replicate: int | None
    refine_trials: int | None
    retest_trials: int | None
    retest_seeds: int | None
    tuning_seeds: int | None
    select: Literal["best_val_loss", "val_loss", "time"] | None
    widen: int | None
    dtype: str | None
    grid_points: int | None


def resolve_suite(suite: SuiteLike, registry: Registry) -> Suite:
    """Return the suite of this name, in this file, or with this content.

    Args:
        suite: Name of a registered suite, path of a TOML file, or a dict as such a file has it.
        registry: Where suites are registered.

    Raises:
        ConfigError: There is no such suite, or it is malformed; the message names the key.
        PluginError: Two suites have this name.
    """
    if isinstance(suite, Mapping):
        return parse_suite({"name": "study", **suite}, "suite")
    if isinstance(suite, Path):
        return load_suite(suite)
    if conflict := registry.conflict("suites", suite):
        raise PluginError(conflict)
    return find_suite(suite, {key: e.item for key, e in registry.entries("suites").items()})


def change_suite(suite: Suite, changes: SuiteChanges, where: str = "options") -> Suite:
    """Return a suite with some of its values replaced.

    Args:
        suite: The suite.
        changes: The new values.
        where: What an error message begins with.

    Raises:
        ConfigError: A value that is not allowed; the message names the key.
    """
    new, protocol = _fields_of(Suite, changes), _fields_of(StudyProtocol, changes)
    selected = [key for key in SELECTIONS if changes.get(key) not in (None, (), [])]
    workloads = changes.get("workloads")
    if suite.draw is not None:
        if selected:
            raise ConfigError(
                f"{where}: the suite {suite.name} draws its workloads, so {selected[0]} cannot be "
                "chosen; workloads is their number"
            )
        new["draw"] = msgspec.structs.replace(
            suite.draw, workloads=workloads or suite.draw.workloads
        )
    elif workloads is not None:
        raise ConfigError(f"{where}: the suite {suite.name} does not draw its workloads")
    elif suite.workload and selected:
        new["workload"] = tuple(dict.fromkeys(_changed_workloads(suite.workload, changes)))
        if not suite.datasets:  # only those that are not in the list have every regime
            listed = {workload.dataset for workload in suite.workload}
            others = (name for name in changes.get("datasets") or () if name not in listed)
            new["datasets"] = tuple(others)
    if changes.get("hidden") or changes.get("activations"):
        new["networks"] = _networks(suite, changes.get("hidden"), changes.get("activations"))
    new["protocol"] = msgspec.structs.replace(suite.protocol, **protocol)
    return check_suite(msgspec.structs.replace(suite, **new), where)


def _fields_of(record: type[msgspec.Struct], changes: SuiteChanges) -> dict[str, Any]:
    """Return the changes that are fields of a record."""
    given: Mapping[str, Any] = changes
    return {
        key: tuple(given[key]) if isinstance(given[key], list) else given[key]
        for key in record.__struct_fields__
        if given.get(key) not in (None, (), [])
    }


def _changed_workloads(
    workloads: Sequence[WorkloadChoice], changes: SuiteChanges
) -> Iterator[WorkloadChoice]:
    """Yield those of the chosen datasets, initializers and regimes, with the other changes."""
    datasets, initializers = changes.get("datasets"), changes.get("initializers")
    regimes = changes.get("regimes")
    epochs, batch_size = changes.get("epochs"), changes.get("batch_size")
    for workload in workloads:
        if datasets and workload.dataset not in datasets:
            continue
        if initializers and workload.initializer not in initializers:
            continue
        if regimes and workload.regime not in regimes:
            continue
        own = epochs.get(workload.regime) if isinstance(epochs, Mapping) else epochs
        for hidden in changes.get("hidden") or (workload.hidden,):
            for activation in changes.get("activations") or (workload.activation,):
                yield msgspec.structs.replace(
                    workload,
                    hidden=tuple(hidden),
                    activation=activation,
                    epochs=own or workload.epochs,
                    batch_size=batch_size or workload.batch_size,
                )


def _networks(
    suite: Suite, hidden: Sequence[Sequence[int]] | None, activations: Sequence[str] | None
) -> tuple[NetworkChoice, ...]:
    widths = [tuple(each) for each in hidden or ()] or [n.hidden for n in suite.networks]
    names = list(activations or ()) or [n.activation for n in suite.networks]
    return tuple(
        NetworkChoice(hidden=width, activation=activation)
        for width in dict.fromkeys(widths)
        for activation in dict.fromkeys(names)
    )
