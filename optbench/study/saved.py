"""Loading of studies from their record and the results in their store."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

from optbench.errors import ConfigError, StoreError
from optbench.plan import StudyRecord, decode_study, restore_cell
from optbench.records.packing import UNREADABLE
from optbench.store import Store
from optbench.study.folders import open_store
from optbench.study.study import Study


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause garbage collection, which would double the time to read 100,000 results."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def make_study(
    record: StudyRecord,
    store: Store,
    *,
    trained: int = 0,
    reused: int = 0,
    unchanged: bool = False,
) -> Study:
    """Join the record of a study with the results in its store.

    All results come from the store, including those just trained, so that several drivers that
    share it see the same ones. The specs of evaluation runs are checked here. The specs of tuning
    runs are checked on access: they are most of the runs, and a report needs only their outcome.
    """
    with _collector_paused():
        keys, judged = set(record.keys()), set(record.evaluation_keys())
        results = dict(store.lazy_results(keys, lazy_specs=keys - judged))
        cells = tuple(restore_cell(cell, results) for cell in record.cells)
    command, environment = store.last_session() or ("", {})
    return Study(
        suite=record.suite,
        protocol=record.protocol,
        cells=cells,
        complete=record.complete,
        left_out=record.left_out,
        drawn=record.drawn,
        criteria=record.criteria,
        looks=record.looks,
        data_cautions=record.data_cautions,
        base_rates=record.base_rates,
        overhead=record.overhead,
        progress=record.progress,
        shards=record.shards,
        merged=record.merged,
        trained=trained,
        reused=reused,
        command=command,
        environment=environment,
        unchanged=unchanged,
        folder=store.path.parent,
    )


def load_study(folder: str | Path) -> Study:
    """Read the study that was last run with ``--out FOLDER``, or with ``out=folder``.

    Args:
        folder: The folder of the study.

    Returns:
        The study. Its curves are read from the folder when they are used.

    Raises:
        ConfigError: The folder does not contain a study.
        StoreError: Its store cannot be read.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import optbench
        >>> with TemporaryDirectory() as folder:
        ...     _ = optbench.compare(["sgd"], suite="smoke", out=folder)
        ...     optbench.load_study(folder).suite
        'smoke'
    """
    with _collector_paused(), open_store(folder) as store:
        saved = store.last_study()
        if saved is None:
            raise ConfigError(
                f"the study in {folder} is not finished; run its command again to continue"
            )
        return make_study(decode_record(saved, store.path), store)


def decode_record(data: bytes, path: Path) -> StudyRecord:
    """Return the record of a study, decoded from the bytes in the store.

    Raises:
        StoreError: The record is damaged.
    """
    try:
        return decode_study(data)
    except UNREADABLE as cause:
        raise StoreError(f"{path}: the study in it cannot be read: {cause}") from cause
