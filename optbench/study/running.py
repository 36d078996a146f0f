"""Execution of a study: training of all runs that are missing from the store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from optbench.execution import Executor
from optbench.plan import StudyPlan
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study.driver import Driver, KnownResults, Observer, ignore_progress
from optbench.study.environment import describe_environment
from optbench.study.folders import STORE_NAME
from optbench.study.open_cells import OpenCells
from optbench.study.saved import make_study
from optbench.study.study import Study


def run_study(
    plan: StudyPlan,
    store: Store,
    executor: Executor,
    *,
    observer: Observer = ignore_progress,
    command: str = "",
    environment: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
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

    Raises:
        StoreError: The store cannot be written; committed results are safe.
    """
    results = KnownResults(store, retry_failed)
    cells = OpenCells(plan, results)
    driver = Driver(
        cells, results, store, executor, observer, command=command, environment=environment
    )
    driver.run()
    record = cells.record()
    data = msgspec.json.encode(record)
    unchanged = driver.trained == 0 and store.is_last_study(data)
    store.save_study(data)
    reused = len(set(record.keys())) - driver.trained
    return make_study(
        record, store, trained=driver.trained, reused=max(reused, 0), unchanged=unchanged
    )


def run_study_in(
    folder: Path,
    plan: StudyPlan,
    executor: Executor,
    *,
    observer: Observer = ignore_progress,
    command: str = "",
    retry_failed: bool = False,
) -> Study:
    """Run a study like `run_study`, with its store in a folder.

    Args:
        folder: Existing folder of the study.
        plan: Plan of the study.
        executor: Trains the runs; closed at the end.
        observer: Function called with the progress after every run, and periodically.
        command: Command recorded in the store with the runs that are trained.
        retry_failed: Whether to train runs again that failed before.

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
        )
