"""Further replicates of a finished study."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import replace
from pathlib import Path

import msgspec

from optbench.analysis.statistics.spending import extended_looks
from optbench.errors import ConfigError
from optbench.plan import StudyPlan, StudyRecord, plan_replicates
from optbench.records import ALPHA, MAX_REPLICATES, Look
from optbench.registry import Registry
from optbench.study.folders import open_store
from optbench.study.saved import decode_record


def read_finished(folder: str | Path) -> StudyRecord:
    """Return the record of the finished study in a folder.

    Raises:
        ConfigError: There is no study, or it was interrupted.
        StoreError: Its store cannot be read.
    """
    with open_store(folder) as store:
        saved = store.last_study()
        record = None if saved is None else decode_record(saved, store.path)
    if record is None or not record.complete:
        raise ConfigError(
            f"the study in {folder} is not finished; run its command again before it gets "
            "more replicates"
        )
    return record


def plan_extension(record: StudyRecord, more: int, registry: Registry) -> StudyPlan:
    """Return the plan of the further replicates of a finished study.

    Entrants that got no further runs, because all their pairs were decided, get none now.

    Args:
        record: The study.
        more: Number of replicates to add, at least 1.
        registry: Registry in which names are looked up.

    Raises:
        ConfigError: A name is no longer registered, or there would be too many replicates.
    """
    protocol = record.protocol
    last = max(cell.replicate for cell in record.cells)
    total = last + 1 + more - protocol.first_replicate
    if total > MAX_REPLICATES:
        raise ConfigError(f"{total} replicates are too many; at most {MAX_REPLICATES} are allowed")
    ends = {cell.entrant.label for cell in record.cells if cell.replicate == last}
    pairs = {
        (cell.entrant.label, cell.workload.label): (cell.entrant, cell.workload)
        for cell in record.cells
        if cell.entrant.label in ends
    }
    plan = plan_replicates(
        record.suite,
        msgspec.structs.replace(protocol, first_replicate=last + 1, replicates=more),
        list(pairs.values()),
        registry,
        drawn=record.drawn,
    )
    return replace(plan, criteria=record.criteria)


def plugins_of(folder: str | Path) -> list[str]:
    """Return what `--plugin` named when the study in a folder was last run on the command line."""
    with open_store(folder) as store:
        command, _ = store.last_session() or ("", {})
    try:
        words = shlex.split(command)
    except ValueError:  # not a command line
        return []
    return [after for word, after in itertools.pairwise(words) if word == "--plugin"]


def join_extension(record: StudyRecord, extension: StudyRecord) -> StudyRecord:
    """Return a finished study together with its further replicates.

    Args:
        record: The study.
        extension: The record of the further replicates.
    """
    protocol = record.protocol
    last = extension.protocol.first_replicate + extension.protocol.replicates
    total = last - protocol.first_replicate
    looks = record.looks or (Look(replicates=protocol.replicates, level=ALPHA),)
    return msgspec.structs.replace(
        record,
        protocol=msgspec.structs.replace(protocol, replicates=total),
        cells=record.cells + extension.cells,
        looks=tuple(extended_looks(looks, total)),
        criteria=extension.criteria,
    )
