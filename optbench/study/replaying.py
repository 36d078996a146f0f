"""Repetition of a stored run, with a comparison bit by bit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optbench.errors import ConfigError
from optbench.records import RunResult, RunSpec, engine_version
from optbench.registry import Registry, default_registry
from optbench.registry.fingerprints import fingerprint, foreign_fingerprint
from optbench.registry.kinds import SCHEDULES
from optbench.study.environment import describe_environment, machine_differences
from optbench.study.folders import open_store

_NEWER = (
    "best_test_loss",
    "best_test_metric",
    "guess_train_loss",
    "guess_val_loss",
    "guess_test_loss",
    "end_train_loss",
    "end_train_metric",
)
"""Fields of a result that older stores lack; compared where both results have them."""


@dataclass(frozen=True)
class Replay:
    """A stored run and the same run trained again.

    Attributes:
        stored: The stored result.
        repeated: The result of training it again.
        differences: One line per difference; empty if all bits are the same.
        reasons: Changes since the run was planned that may explain the differences.
    """

    stored: RunResult
    repeated: RunResult
    differences: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether status, parameters, curve and test loss have the same bits."""
        return not self.differences


def replay_run(folder: str | Path, run_id: str, *, registry: Registry | None = None) -> Replay:
    """Train a stored run again and compare it with the stored result, bit by bit.

    Args:
        folder: Folder of the study.
        run_id: Key of the run, or its first digits.
        registry: Registry in which names are looked up; the default one if None.

    Raises:
        ConfigError: The folder does not contain a study, the key matches no run or several runs, or
            a name in the run is no longer registered.
    """
    from threadpoolctl import threadpool_limits

    from optbench.engine.training import train_spec

    registry = registry or default_registry()
    stored = find_run(folder, run_id)
    reasons = [*changes_since(stored.spec, registry), *_other_machine(folder, stored, registry)]
    with threadpool_limits(1):  # as in a study
        repeated = train_spec(stored.spec, registry)
    return Replay(stored, repeated, tuple(bit_differences(stored, repeated)), tuple(reasons))


def _other_machine(folder: str | Path, stored: RunResult, registry: Registry) -> list[str]:
    """Return what differs between the machine of the study and this one, and decides digits."""
    with open_store(folder) as store:
        _, environment = store.last_session() or ("", {})
    if stored.loop == "compiled":  # which calls no BLAS
        environment = {key: value for key, value in environment.items() if key != "blas"}
    return machine_differences(environment, describe_environment(registry))


def find_run(folder: str | Path, run_id: str) -> RunResult:
    """Return the stored run with this key.

    Args:
        folder: Folder of the study.
        run_id: Key of the run, or its first digits.

    Raises:
        ConfigError: No key or more than one key begins with these digits.
    """
    with open_store(folder) as store:
        keys = store.keys(run_id.lower()) if run_id else set()
        if not keys:
            raise ConfigError(f"no run in {folder} begins with '{run_id}'")
        if len(keys) > 1:
            raise ConfigError(f"{len(keys)} runs begin with '{run_id}'; give more digits")
        return next(store.results(keys))


def changes_since(spec: RunSpec, registry: Registry) -> list[str]:
    """Return the changes since the run was planned, one sentence each."""
    changes = []
    version = engine_version(spec.activation)
    if spec.engine != version:
        changes.append(f"the engine was version {spec.engine}, this is {version}")
    if fingerprint(registry.optimizer(spec.optimizer)) != spec.optimizer_code:
        changes.append(f"the code of optimizer {spec.optimizer} has changed since")
    if fingerprint(registry.initializer(spec.initializer)) != spec.initializer_code:
        changes.append(f"the code of initializer {spec.initializer} has changed since")
    schedule = registry.entry(SCHEDULES, spec.control.schedule)
    if foreign_fingerprint(schedule) != spec.schedule_code:
        changes.append(f"the code of schedule {spec.control.schedule} has changed since")
    return changes


def bit_differences(before: RunResult, after: RunResult) -> list[str]:
    """Return the differences between two results, one line each; times are not compared."""
    differences = []
    for name, old, new in (
        ("status", before.status.value, after.status.value),
        ("reason", before.reason, after.reason),
        ("parameters (sha256)", before.params_hash[:16], after.params_hash[:16]),
        ("gradient evaluations", before.grad_evals, after.grad_evals),
        ("test loss", before.test_loss, after.test_loss),
        ("evaluations", before.curve.rows, after.curve.rows),
    ):
        if not _equal([old], [new]).all():
            differences.append(f"{name}: was {old}, is {new}")
    if before.curve.rows == after.curve.rows:
        columns = [c for c in before.curve if c in after.curve and c != "seconds"]
        differences += filter(None, (_column_difference(before, after, c) for c in columns))
    differences += [
        f"{name.replace('_', ' ')}: was {old}, is {new}"
        for name in _NEWER
        for old, new in [(getattr(before, name), getattr(after, name))]
        if not (math.isnan(old) or math.isnan(new) or old == new)
    ]
    return differences


def _column_difference(before: RunResult, after: RunResult, column: str) -> str:
    """Return the first difference in a column of two curves, or an empty string."""
    old, new = before.curve[column], after.curve[column]
    same = _equal(old, new)
    if same.all():
        return ""
    row = int((~same).argmax())
    return f"{column}: from row {row} on: was {old[row]}, is {new[row]}"


def _equal(before: Any, after: Any) -> Any:
    """Return elementwise equality, with NaN equal to NaN."""
    before, after = np.asarray(before), np.asarray(after)
    if before.dtype.kind != "f":
        return before == after
    return (before == after) | (np.isnan(before) & np.isnan(after))
