"""Runs a study: trains all runs of a plan that the store lacks."""

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
    """Train all runs that the store lacks, and return the study.

    Ctrl-C ends it early: everything finished is kept, and the study has ``complete=False``.

    Args:
        plan: What to train.
        store: Where results are kept, and looked up first.
        executor: Trains the runs; closed when interrupted.
        observer: Called with the progress after every run, and now and then.
        command: Noted in the store with the runs that are trained.
        environment: Likewise.
        retry_failed: Train again the runs that failed before.

    Raises:
        StoreError: The store cannot be written; everything committed is safe.
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
    """Run a study as `run_study` does, with its store in a folder.

    Args:
        folder: Folder of the study; it exists.
        plan: What to train.
        executor: Trains the runs; closed at the end.
        observer: Called with the progress after every run, and now and then.
        command: Noted in the store with the runs that are trained, like the environment.
        retry_failed: Train again the runs that failed before.

    Raises:
        StoreError: The store cannot be read or written; everything committed is safe.
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
