"""The record of a study as the store keeps it, with its runs by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from optbench.contracts import Value
from optbench.plan.steps import Results
from optbench.records import (
    Cell,
    Criteria,
    Entrant,
    Look,
    RunResult,
    StudyProtocol,
    Trial,
    Workload,
)


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A trial, with its results by key."""

    hyper: dict[str, Value]
    runs: tuple[str, ...]
    retest: tuple[str, ...] = ()
    is_default: bool = False
    is_widened: bool = False
    is_refined: bool = False


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cell, with its results by key.

    Attributes:
        missing: Number of planned runs that were not finished.
    """

    entrant: Entrant
    workload: Workload
    trials: tuple[TrialRecord, ...]
    chosen: dict[str, Value] | None
    edges: dict[str, str]
    evaluation: tuple[str, ...]
    replicate: int = 0
    missing: int = 0

    def keys(self) -> Iterator[str]:
        """Yield the keys of its runs; some may come twice."""
        yield from self.evaluation
        for trial in self.trials:
            yield from trial.runs
            yield from trial.retest


class StudyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A study as the store keeps it; it can be reported again without any plugin.

    Attributes:
        suite: Name of the suite.
        protocol: How configurations were chosen and evaluated.
        cells: Every entrant on every workload in every replicate.
        complete: False if the study was interrupted.
        left_out: One line for each entrant and regime that do not go together.
        drawn: Whether each workload is an independent draw from a declared distribution.
        looks: The looks at a study that was analyzed while it grew; empty for a single one.
        most_replicates: Largest number of replicates of a study that ran until it was decided; 0
            for others.
        data_cautions: One line for each fault of a dataset that makes its figures misleading, and
            for a condition on which a merged study may be believed.
        base_rates: Dataset -> accuracy of always predicting its largest class; without regressions,
            and empty in records of earlier versions.
        criteria: What its pairs are judged by.
        overhead: Seconds of one core around the training of a run, as measured by the session that
            trained last; None if unknown.
        progress: Finished and planned runs of an interrupted study; None for others.
        shards: The parts of a study that this has, each as its number and the number of all parts;
            empty for a study that was not run in parts, and in records of earlier versions.
        merged: Whether it was merged from other studies; False in records of earlier versions.
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[CellRecord, ...]
    complete: bool = True
    left_out: tuple[str, ...] = ()
    drawn: bool = False
    looks: tuple[Look, ...] = ()
    most_replicates: int = 0
    data_cautions: tuple[str, ...] = ()
    base_rates: dict[str, float] = {}
    criteria: Criteria = Criteria()
    overhead: float | None = None
    progress: tuple[int, int] | None = None
    shards: tuple[tuple[int, int], ...] = ()
    merged: bool = False

    def keys(self) -> Iterator[str]:
        """Yield the keys of all runs; some may come twice."""
        for cell in self.cells:
            yield from cell.keys()

    def evaluation_keys(self) -> Iterator[str]:
        """Yield the keys of the evaluation runs; some may come twice."""
        for cell in self.cells:
            yield from cell.evaluation


class _ProtocolOnly(msgspec.Struct, frozen=True):
    """The protocol of a study as it was written, without the rest of its record."""

    protocol: dict[str, Any]


_records = msgspec.json.Decoder(StudyRecord)
_protocols = msgspec.json.Decoder(_ProtocolOnly)


def decode_study(data: bytes) -> StudyRecord:
    """Return the record of a study from JSON.

    A study from before replicates has one replicate and no retest, and one from before trials
    beside the best one has none of those.

    Args:
        data: What `msgspec.json.encode` made of a `StudyRecord`, of this version or an earlier one.

    Raises:
        msgspec.MsgspecError: The data are not the record of a study.
    """
    record = _records.decode(data)
    written = _protocols.decode(data).protocol
    protocol = record.protocol
    if "replicates" not in written:
        protocol = msgspec.structs.replace(protocol, replicates=1, retest_trials=0)
    if "refine_trials" not in written:
        protocol = msgspec.structs.replace(protocol, refine_trials=0)
    return msgspec.structs.replace(record, protocol=protocol)


def record_cell(cell: Cell, missing: int = 0) -> CellRecord:
    """Return the record of a cell, which has the keys of its results.

    Args:
        cell: The cell.
        missing: Number of its planned runs that are not finished.
    """
    return CellRecord(
        entrant=cell.entrant,
        workload=cell.workload,
        trials=tuple(
            TrialRecord(
                hyper=dict(trial.hyper),
                runs=tuple(r.key for r in trial.results),
                retest=tuple(r.key for r in trial.retest),
                is_default=trial.is_default,
                is_widened=trial.is_widened,
                is_refined=trial.is_refined,
            )
            for trial in cell.trials
        ),
        chosen=None if cell.chosen is None else dict(cell.chosen),
        edges=dict(cell.edges),
        evaluation=tuple(result.key for result in cell.evaluation),
        replicate=cell.replicate,
        missing=missing,
    )


def restore_cell(record: CellRecord, results: Results) -> Cell:
    """Return the cell of a record; runs that are missing in `results` are left out.

    The specs of the results are not read, since they may still be in the store.
    """
    trials = [
        Trial(
            trial.hyper,
            _available(trial.runs, results),
            _available(trial.retest, results),
            trial.is_default,
            trial.is_widened,
            trial.is_refined,
        )
        for trial in record.trials
    ]
    return Cell(
        entrant=record.entrant,
        workload=record.workload,
        trials=tuple([trial for trial in trials if trial.runs]),
        chosen=record.chosen,
        edges=record.edges,
        evaluation=_available(record.evaluation, results),
        replicate=record.replicate,
    )


def _available(keys: Iterable[str], results: Results) -> tuple[RunResult, ...]:
    return tuple([result for result in map(results.get, keys) if result is not None])
