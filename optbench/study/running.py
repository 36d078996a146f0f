"""Execution of a study: training of all runs that are missing from the store."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from optbench.errors import StoreError
from optbench.execution import Executor
from optbench.plan import StudyPlan, StudyRecord
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study.driver import Driver, KnownResults, Observer, ignore_progress
from optbench.study.environment import describe_environment
from optbench.study.extending import join_extension
from optbench.study.folders import STORE_NAME
from optbench.study.growing_cells import GrowingCells
from optbench.study.open_cells import OpenCells
from optbench.study.saved import decode_record, make_study
from optbench.study.study import Study
from optbench.suites import known_targets


def run_study(
    plan: StudyPlan,
    store: Store,
    executor: Executor,
    *,
    observer: Observer = ignore_progress,
    command: str = "",
    environment: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    until: Literal["decided"] | None = None,
    time_limit: float | None = None,
    extended: StudyRecord | None = None,
) -> Study:
    """Train all runs that are missing from the store, and return the study.

    Ctrl-C ends the study early: finished runs are kept, and the study has ``complete=False``.

    Args:
        plan: Plan of the study.
        store: Store of the results; runs that it has are not trained.
        executor: Trains the runs; closed when interrupted.
        observer: Function called with the progress after every run, and periodically.
        command: Command recorded in the store with the runs that are trained.
        environment: Environment recorded with them.
        retry_failed: Whether to train runs again that failed before.
        until: ``"decided"``: the replicates of the plan are the most; entrants with all pairs
            decided get no further runs, and the study ends when no pair is open.
        time_limit: Seconds after which no further run is started; with `until` only.
        extended: A finished study that gets the replicates of the plan. If this is interrupted, the
            store keeps the finished study, as it keeps one with looks that were not made again.

    Raises:
        StoreError: The store cannot be written; committed results are safe.
    """
    earlier = None if until is None else _earlier_record(store, plan)
    results = KnownResults(store, retry_failed)
    cells = (
        OpenCells(plan, results)
        if until is None
        else GrowingCells(
            plan,
            results,
            store,
            known_targets(default_registry()),
            time_limit=math.inf if time_limit is None else time_limit,
            earlier=_looks_made(earlier),
        )
    )
    driver = Driver(
        cells, results, store, executor, observer, command=command, environment=environment
    )
    driver.run()
    try:
        return _save(cells.record(), store, driver, earlier=earlier, extended=extended)
    except KeyboardInterrupt:
        if driver.interrupted:
            raise
        study = _save(cells.record(), store, driver, earlier=earlier, extended=extended)
        return replace(study, complete=False)


def _save(
    record: StudyRecord,
    store: Store,
    driver: Driver,
    *,
    earlier: StudyRecord | None,
    extended: StudyRecord | None,
) -> Study:
    """Store the record of a study, and return the study.

    Args:
        record: The record.
        store: Store of the results.
        driver: The driver that trained its runs.
        earlier: What an earlier execution of the same study stored, with looks.
        extended: As for `run_study`.
    """
    if not record.complete:
        kept = earlier if len(_looks_made(earlier)) > len(_looks_made(record)) else extended
        if kept is not None:  # else its looks would be forgotten
            return replace(make_study(kept, store, trained=driver.trained), complete=False)
    elif extended is not None:
        record = join_extension(extended, record)
    saved = _last_record(store)
    before = None if saved is None else saved.overhead
    overhead = before if driver.overhead is None else driver.overhead
    record = msgspec.structs.replace(record, overhead=overhead)
    data = msgspec.json.encode(record)
    unchanged = driver.trained == 0 and store.is_last_study(data)
    store.save_study(data)
    reused = len(set(record.keys())) - driver.trained
    return make_study(
        record, store, trained=driver.trained, reused=max(reused, 0), unchanged=unchanged
    )


def _last_record(store: Store) -> StudyRecord | None:
    """Return the record of the study in a store; None if there is none, or it is damaged."""
    with contextlib.suppress(StoreError):  # it is made again from its runs
        saved = store.last_study()
        return None if saved is None else decode_record(saved, store.path)
    return None


def _earlier_record(store: Store, plan: StudyPlan) -> StudyRecord | None:
    """Return the record of an earlier execution of the same study; None if there is none."""
    record = _last_record(store)
    if record is None:
        return None
    protocol = msgspec.structs.replace(plan.protocol, replicates=record.protocol.replicates)
    is_same = (
        record.most_replicates == plan.protocol.replicates
        and record.protocol == protocol
        and record.suite == plan.suite
        and {cell.entrant.label for cell in record.cells} == {e.label for e in plan.entrants}
        and {cell.workload.label for cell in record.cells} == {w.label for w in plan.workloads}
    )
    return record if is_same else None


def _looks_made(record: StudyRecord | None) -> list[int]:
    """Return the numbers of replicates at which a study was analyzed."""
    looks = () if record is None else record.looks
    return [look.replicates for look in looks if look.level > 0]


def run_study_in(
    folder: Path,
    plan: StudyPlan,
    executor: Executor,
    *,
    observer: Observer = ignore_progress,
    command: str = "",
    retry_failed: bool = False,
    until: Literal["decided"] | None = None,
    time_limit: float | None = None,
    extended: StudyRecord | None = None,
) -> Study:
    """Run a study like `run_study`, with its store in a folder.

    Args:
        folder: Existing folder of the study.
        plan: Plan of the study.
        executor: Trains the runs; closed at the end.
        observer: Function called with the progress after every run, and periodically.
        command: Command recorded in the store with the runs that are trained.
        retry_failed: Whether to train runs again that failed before.
        until, time_limit, extended: As for `run_study`.

    Raises:
        StoreError: The store cannot be read or written; committed results are safe.
    """
    with executor, Store(folder / STORE_NAME) as store:
        return run_study(
            plan,
            store,
            executor,
            observer=observer,
            command=command,
            environment=describe_environment(default_registry()),
            retry_failed=retry_failed,
            until=until,
            time_limit=time_limit,
            extended=extended,
        )
