"""Boards from their values: order, intervals, places, letters and verdicts, all of one mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optbench.analysis.board_records import Baseline, Board, BoardRow
from optbench.analysis.board_rows import CriticalDifference, number
from optbench.analysis.boards.board_means import BoardMeans
from optbench.analysis.boards.board_notes import board_notes
from optbench.analysis.boards.board_pairs import (
    Sample,
    Stage,
    baseline_pairs,
    better_matrix,
    every_pair,
    make_sample,
    unit_values,
)
from optbench.analysis.boards.board_topics import BoardTopic, board_topics
from optbench.analysis.boards.board_values import BoardValues
from optbench.analysis.run_costs import UNKNOWN_PACE, Pace
from optbench.analysis.statistics.contrasts import entrant_contrasts
from optbench.analysis.statistics.multiplicity import may_be_best
from optbench.analysis.statistics.ranking import place_ranges, tie_groups
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.records import ALPHA, Look
from optbench.support.text import count


def make_boards(
    study: StudyArrays,
    tables: Sequence[BoardValues],
    *,
    drawn: bool = False,
    baseline: str = "",
    looks: Sequence[Look] = (),
    before: Sequence[Board] = (),
    pace: Pace = UNKNOWN_PACE,
) -> tuple[Board, ...]:
    """Return the boards of a study: both statements, then those of each regime.

    Args:
        study: The runs.
        tables: Results of `board_values`.
        drawn: Whether the workloads were drawn from a declared distribution.
        baseline: Label of the entrant that the others are compared with; empty for none.
        looks: The looks at a growing study up to this one; by default, this is the only look.
        before: Boards of the previous look.
        pace: How fast the machine trains further runs.
    """
    taken = tuple(looks) or (Look(replicates=study.n_replicates, level=ALPHA),)
    earlier = {(board.name, board.statement, board.regime): board for board in before}
    return tuple(
        _board(study, topic, taken, earlier.get(topic.key), baseline, pace)
        for topic in board_topics(study, tables, drawn)
    )


def _board(
    study: StudyArrays,
    topic: BoardTopic,
    looks: tuple[Look, ...],
    before: Board | None,
    baseline: str,
    pace: Pace,
) -> Board:
    table, look = topic.table, looks[-1]
    replicates_before = before.looks[-1].replicates if before else 0
    sample = make_sample(study, table, topic.unit, topic.columns, replicates_before, pace)
    means = BoardMeans(topic, sample)
    stage = Stage(look.level, look.replicates, before.pairs if before else ())
    pairs = every_pair(sample, means.order, table.region, stage)
    better = better_matrix(study.labels, pairs)
    leading = _leading(means, better, stage, before) & ~_lost_everywhere(study, topic.columns)
    return Board(
        name=table.name,
        statement=topic.statement,
        regime=topic.regime,
        quantity=table.quantity,
        region=table.region,
        unit=topic.unit,
        units=_units(sample, means.contrasts.replicates[means.is_known]),
        workloads=len(topic.columns),
        looks=looks,
        error_rate=round(sum(each.level for each in looks), 12),
        note=" ".join(
            board_notes(study, topic, means.contrasts, looks, means.has_all | ~means.is_known)
        ),
        rows=_rows(study, means, better, leading, look.level),
        pairs=pairs,
        baseline=_baseline(sample, means.order, baseline, table.region, stage, before),
    )


def _rows(
    study: StudyArrays, means: BoardMeans, better: Array, leading: Array, level: float
) -> tuple[BoardRow, ...]:
    """Return the rows of a board, best first.

    Args:
        study: The runs.
        means: The mean of each entrant.
        better: Which entrant is better than which, shape (S, S).
        leading: Which entrants may be the best, shape (S,).
        level: Error rate of the intervals.
    """
    labels, order = study.labels, means.order.tolist()
    topic, columns = means.topic, means.topic.columns
    low, high = means.interval(level)
    places = _places(better, means.is_known)
    groups = tie_groups(better, [s for s in order if means.is_known[s]], labels)
    runs = (~np.isnan(study.lost_runs[:, columns])).sum(axis=2)
    runs = (runs * means.has_value).sum(axis=1)
    details = {
        name: entrant_contrasts(unit_values(study, part[:, columns], topic.unit, columns)).estimate
        for name, part in topic.table.details.items()
    }
    return tuple(
        BoardRow(
            label=labels[s],
            value=number(means.values[s]),
            low=number(low[s]),
            high=number(high[s]),
            place=places[s],
            letters="".join(group.letter for group in groups if labels[s] in group.labels),
            may_be_best=bool(leading[s]),
            workloads=int(means.workloads[s]),
            runs=int(runs[s]),
            details={name: number(part[s]) for name, part in details.items()},
        )
        for s in order
    )


def _leading(means: BoardMeans, better: Array, stage: Stage, before: Board | None) -> Array:
    """Return who may be the best, shape (S,): nobody who was out at an earlier look.

    An entrant that misses workloads neither is the best on all of them nor puts others out.
    """
    sample, has_all = means.sample, means.has_all
    tested = sample.grown & np.outer(has_all, has_all)
    tested &= np.isfinite(sample.values).sum(axis=2).max(axis=1) >= sample.least_units
    leading = may_be_best(sample.values, sample.clusters, stage.level, tested, sample.least_errors)
    out = {row.label for row in before.rows if not row.may_be_best} if before else set()
    leading &= np.array([label not in out for label in sample.labels])
    return leading & has_all & ~better[has_all].any(axis=0) & means.is_known


def _places(better: Array, has_value: Array) -> list[tuple[int, int]]:
    """Return the places that pairs leave open; all places for an entrant without a value."""
    places = [(1, len(better))] * len(better)
    known = np.flatnonzero(has_value)
    for s, place in zip(known, place_ranges(better[np.ix_(known, known)]), strict=True):
        places[s] = place
    return places


def _units(sample: Sample, units: Array) -> int:
    """Return the number of independent units of a board.

    Args:
        sample: The values.
        units: Units of each entrant with a value.
    """
    if not units.size:
        return int(sample.values.shape[-1])
    return int(units.min() if sample.unit == "replicate" else units.max())


def _lost_everywhere(study: StudyArrays, columns: list[int]) -> Array:
    """Return whether all runs of each entrant were lost, shape (S,)."""
    return np.asarray((study.lost_runs[:, columns] != 0).all(axis=(1, 2)))


def _baseline(
    sample: Sample,
    order: Array,
    label: str,
    region: float,
    stage: Stage,
    before: Board | None,
) -> Baseline | None:
    """Return the comparisons with the baseline; None without one."""
    if label not in sample.labels:
        return None
    earlier = before.baseline.pairs if before is not None and before.baseline is not None else ()
    stage = replace(stage, before=earlier)
    index = sample.labels.index(label)
    return Baseline(label=label, pairs=baseline_pairs(sample, order, index, region, stage))


def critical_difference(board: Board) -> CriticalDifference | None:
    """Return what a picture of a board on one line needs; None without verdicts.

    Entrants that miss workloads are left out: their values are not on the line of the others.
    """
    rows = [r for r in board.rows if r.value is not None and r.workloads == board.workloads]
    if len(rows) < 2 or not any(pair.p is not None for pair in board.pairs):
        return None
    groups: dict[str, list[str]] = {}
    for row in rows:
        for letter in row.letters:
            groups.setdefault(letter, []).append(row.label)
    return CriticalDifference(
        labels=tuple(row.label for row in rows),
        values=tuple(float(row.value or 0.0) for row in rows),
        bars=tuple(tuple(labels) for labels in groups.values() if len(labels) > 1),
        note=f"{board.quantity}, mean over {count(board.workloads, 'workload')}",
    )
