"""Merging of studies that were run on several machines into one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from optbench.errors import ConfigError
from optbench.plan import CellRecord, StudyRecord
from optbench.records import ALPHA, Criteria, Look, RunSpec, StudyProtocol
from optbench.records.packing import unpack_spec
from optbench.store import Store
from optbench.study.environment import machine_differences
from optbench.study.folders import STORE_NAME, open_store, writable_folder
from optbench.study.open_cells import finished_runs
from optbench.study.saved import decode_record, make_study
from optbench.study.study import Study
from optbench.support.text import count, plural

_log = logging.getLogger(__name__)

REPLICATE_FIELDS = ("replicates", "first_replicate")
"""Fields of the protocol in which merged studies may differ."""
NAMED_CONFLICTS = 10
"""Number of conflicts per folder that are described; the others are only counted."""


@dataclass(frozen=True)
class RunConflict:
    """A run that two studies have with different numbers.

    Attributes:
        folder: Folder of the study that came later.
        spec: The run.
    """

    folder: Path
    spec: RunSpec

    def __str__(self) -> str:
        spec = self.spec
        return (
            f"run {spec.key[:8]}: {spec.configuration} on {spec.workload.label}, seed {spec.seed}"
        )


class ConflictError(ConfigError):
    """Studies disagree about the numbers of the same runs.

    Attributes:
        conflicts: The first of the conflicting runs.
    """

    def __init__(self, message: str, conflicts: Sequence[RunConflict]) -> None:
        super().__init__(message)
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True)
class Merge:
    """A merged study.

    Attributes:
        study: The study.
        conflicts: Runs with conflicts resolved for the first version, at most `NAMED_CONFLICTS` per
            folder.
    """

    study: Study
    conflicts: tuple[RunConflict, ...]


def merge_studies(
    folders: Iterable[str | Path],
    out: str | Path,
    *,
    keep_first: bool = False,
) -> Merge:
    """Merge the studies in several folders into one.

    Args:
        folders: Folders of the studies, at least one. Their protocols must be equal.
        out: Folder of the merged study; runs are added to a store that exists there.
        keep_first: Whether to keep the first version of a run if two studies have it with different
            numbers, instead of raising an error.

    Raises:
        ConfigError: A folder has no study, or the protocols differ.
        ConflictError: Two studies have the same run with different numbers.
    """
    paths = [Path(folder) for folder in folders]
    sources = [(path, *_read(path)) for path in paths]
    record = merge_records([(path, record) for path, record, *_ in sources])
    conflicts: list[RunConflict] = []
    with Store(writable_folder(out) / STORE_NAME) as store:
        for path, _, command, environment in sources:
            _log.info("merging %s", path)
            store.begin_session(command, environment)
            machines = machine_differences(sources[0][-1], environment)
            conflicts += _take_in(store, path, keep_first, machines)
        store.save_study(msgspec.json.encode(record))
        study = make_study(record, store, reused=store.count())
    return Merge(study, tuple(conflicts))


def _read(folder: Path) -> tuple[StudyRecord, str, dict[str, Any]]:
    """Return the record of a study, and the command and environment of its last session."""
    with open_store(folder) as store:
        saved = store.last_study()
        if saved is None:
            raise ConfigError(f"the study in {folder} is not finished")
        return decode_record(saved, store.path), *(store.last_session() or ("", {}))


def merge_records(records: Sequence[tuple[Path, StudyRecord]]) -> StudyRecord:
    """Return one study with the cells of all studies.

    If several studies have a cell, the one with the most evaluation runs is used. Studies with
    different replicates become one study with the replicates of all. Studies that were analyzed at
    looks are merged only with studies of the same looks, since otherwise the number of replicates
    would depend on the results in a way that no look accounts for. Shards of as many parts are
    taken for parts of one study.

    Args:
        records: Folder and record of each study, at least one.

    Raises:
        ConfigError: Their protocols differ in more than the replicates, or their looks differ; the
            message names the first difference.
    """
    if not records:
        raise ConfigError("no study to merge; name at least one folder")
    first_folder, first = records[0]
    cells: dict[tuple[str, str, int], CellRecord] = {}
    for folder, record in records:
        for key in [k for k in record.protocol.__struct_fields__ if k not in REPLICATE_FIELDS]:
            ours, theirs = getattr(first.protocol, key), getattr(record.protocol, key)
            if ours != theirs:
                raise ConfigError(
                    f"the protocols differ: {key} is {ours} in {first_folder}, {theirs} in {folder}"
                )
        for cell in record.cells:
            place = (cell.entrant.label, cell.workload.label, cell.replicate)
            known = cells.get(place)
            if known is None or _extent(cell) > _extent(known):
                cells[place] = cell
    left_out = dict.fromkeys(line for _, record in records for line in record.left_out)
    data_cautions = dict.fromkeys(line for _, record in records for line in record.data_cautions)
    progress = _joint_progress(list(cells.values()), [record for _, record in records])
    return msgspec.structs.replace(
        first,
        protocol=_joint_protocol([record.protocol for _, record in records]),
        suite=" + ".join(dict.fromkeys(record.suite for _, record in records)),
        cells=tuple(_in_order(cells.values(), [record for _, record in records])),
        complete=progress is None and all(map(_is_counted, (record for _, record in records))),
        progress=progress,
        left_out=tuple(left_out),
        data_cautions=(*data_cautions, *_new_replicates_caution([r for _, r in records])),
        base_rates={k: rate for _, record in records for k, rate in record.base_rates.items()},
        drawn=all(record.drawn for _, record in records),
        looks=_joint_looks(records),
        criteria=_joint_criteria([record.criteria for _, record in records]),
        shards=tuple(sorted({shard for _, record in records for shard in record.shards})),
        merged=True,
    )


def _new_replicates_caution(records: Sequence[StudyRecord]) -> list[str]:
    """Say on which condition the error rates of studies with different replicates hold together.

    A study that was analyzed by itself, and is merged with a further one because of its results,
    was analyzed twice; no look accounts for that.
    """
    if len({record.protocol.first_replicate for record in records}) < 2:
        return []
    text = "replicates of several studies were merged: the error rates hold if that was decided "
    return [text + "before the results of any of them were seen"]


def _extent(cell: CellRecord) -> tuple[int, int]:
    """Return how far a cell has come: its evaluation runs, and all of its runs."""
    return len(cell.evaluation), len(list(cell.keys()))


def _is_counted(record: StudyRecord) -> bool:
    """Return whether a study is complete, or its missing runs are known."""
    return record.complete or record.progress is not None


def _joint_progress(
    cells: Sequence[CellRecord], records: Sequence[StudyRecord]
) -> tuple[int, int] | None:
    """Return the finished and the planned runs of all studies; None if none of them is unfinished.

    Args:
        cells: Cells of the merged study.
        records: The studies.
    """
    done = finished_runs(cells)
    missing = sum(cell.missing for cell in cells)
    for record in records:
        known = sum(cell.missing for cell in record.cells)
        if record.progress is not None and (record.most_replicates or not known):
            finished, planned = record.progress  # also those of cells that were not begun
            missing += max(planned - finished - known, 0)
    return (done, done + missing) if missing else None


def _in_order(cells: Iterable[CellRecord], records: Sequence[StudyRecord]) -> list[CellRecord]:
    """Return cells in the order in which one study of all of them would have them.

    Workloads that were dealt out in turn come back into their order, and then all sums over them
    are the same to the last bit.
    """
    ranks: dict[str, tuple[int, int]] = {}
    entrants = dict.fromkeys(cell.entrant.label for record in records for cell in record.cells)
    places = {label: place for place, label in enumerate(entrants)}
    for number, record in enumerate(records):
        labels = dict.fromkeys(cell.workload.label for cell in record.cells)
        for index, label in enumerate(labels):
            ranks[label] = min(ranks.get(label, (index, number)), (index, number))
    return sorted(
        cells, key=lambda c: (c.replicate, ranks[c.workload.label], places[c.entrant.label])
    )


def _joint_looks(records: Sequence[tuple[Path, StudyRecord]]) -> tuple[Look, ...]:
    """Return the looks of the study that had most of them; the others had the first ones of these.

    Pairs are then decided at the same looks as in a single study. An entrant that got no further
    runs after a look is not tested at later ones.

    Raises:
        ConfigError: The looks of two studies are not the same as far as both go.
    """
    if not any(record.looks for _, record in records):
        return ()
    folder, longest = max(records, key=lambda item: len(_looks(item[1])))
    looks = _looks(longest)
    for other, record in records:
        same_numbers = record.protocol.first_replicate == longest.protocol.first_replicate
        own = _looks(record)
        if not same_numbers or own != looks[: len(own)]:
            raise ConfigError(
                f"{other} was not analyzed at the looks of {folder}, so no error rate is known for "
                "both together; `optbench compare` compares them, `optbench run --more` extends one"
            )
    return looks


def _looks(record: StudyRecord) -> tuple[Look, ...]:
    return record.looks or (Look(replicates=record.protocol.replicates, level=ALPHA),)


def _joint_criteria(criteria: Sequence[Criteria]) -> Criteria:
    """Return the criteria of all studies, or the usual ones if they differ."""
    return criteria[0] if all(each == criteria[0] for each in criteria) else Criteria()


def _joint_protocol(protocols: Sequence[StudyProtocol]) -> StudyProtocol:
    """Return the protocol of studies that differ in nothing but their replicates."""
    numbers = {p.first_replicate + i for p in protocols for i in range(p.replicates)}
    return msgspec.structs.replace(
        protocols[0], replicates=len(numbers), first_replicate=min(numbers)
    )


def _take_in(
    store: Store, folder: Path, keep_first: bool, machines: Sequence[str]
) -> list[RunConflict]:
    """Add the runs of a folder's store to the merged store and return the conflicts.

    Args:
        store: The merged store.
        folder: The folder.
        keep_first: As for `merge_studies`.
        machines: What differs between the machines and may explain conflicts.
    """
    with open_store(folder) as other:
        found = store.conflicts(other)
        conflicts = [
            RunConflict(folder, unpack_spec(each.spec)) for each in found[:NAMED_CONFLICTS]
        ]
        if found and not keep_first:
            verb = plural(len(found), "differs", "differ")
            raise ConflictError(
                f"{count(len(found), 'run')} of {folder} {verb} from those of the folders before "
                "it; --keep-first (keep_first=True) keeps the earlier ones"
                + "".join(f"; {difference}" for difference in machines),
                conflicts,
            )
        store.merge(other)
    return conflicts
