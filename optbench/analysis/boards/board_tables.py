"""Boards from their values: order, intervals, places, letters and verdicts, all of one mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optbench.analysis.board_records import (
    STATEMENTS,
    Baseline,
    Board,
    BoardRow,
    Statement,
    Unit,
)
from optbench.analysis.board_rows import CriticalDifference, number
from optbench.analysis.boards.board_pairs import (
    LEAST_UNITS,
    Sample,
    Stage,
    baseline_pairs,
    better_matrix,
    every_pair,
    make_sample,
    unit_values,
)
from optbench.analysis.boards.board_values import VALUE_RANGES, BoardValues
from optbench.analysis.grouping import indices_by_key
from optbench.analysis.run_costs import UNKNOWN_PACE, Pace
from optbench.analysis.statistics.contrasts import (
    Contrasts,
    entrant_contrasts,
)
from optbench.analysis.statistics.multiplicity import may_be_best
from optbench.analysis.statistics.ranking import place_ranges, tie_groups
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.prose import looks_notes, short_names
from optbench.contracts import Array
from optbench.records import ALPHA, Look, Regime
from optbench.support.text import count, join_names, plural


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
    everything = list(range(len(study.workloads)))
    by_regime = indices_by_key(w.regime for w in study.workloads)
    wanted: list[tuple[BoardValues, Statement, Regime | None, list[int]]] = [
        (table, statement, None, everything) for table in tables for statement in STATEMENTS
    ]
    if len(by_regime) > 1:
        wanted += [
            (table, "these-workloads", study.workloads[columns[0]].regime, columns)
            for columns in by_regime
            for table in tables
        ]
    return tuple(
        _board(
            study,
            table,
            statement,
            regime,
            columns,
            drawn,
            baseline,
            taken,
            earlier.get((table.name, statement, regime)),
            pace,
        )
        for table, statement, regime, columns in wanted
    )


def _board(
    study: StudyArrays,
    table: BoardValues,
    statement: Statement,
    regime: Regime | None,
    columns: list[int],
    drawn: bool,
    baseline: str,
    looks: tuple[Look, ...],
    before: Board | None,
    pace: Pace,
) -> Board:
    unit: Unit = "replicate"
    if statement == "workloads-like-these":
        unit = "drawn workload" if drawn else "dataset"
    replicates_before = before.looks[-1].replicates if before else 0
    sample = make_sample(study, table, unit, columns, replicates_before, pace)
    rows = entrant_contrasts(sample.values, sample.clusters)
    rows = rows.with_least_units(sample.least_units)
    has_value = np.isfinite(table.on(columns)).any(axis=2)
    known = has_value.sum(axis=1)
    runs = ((~np.isnan(study.lost_runs[:, columns])).sum(axis=2) * has_value).sum(axis=1)
    everywhere = known == known.max()
    means = np.round(rows.estimate, 12)  # so that equal runs tie
    order = np.lexsort((-np.where(np.isnan(means), -np.inf, means), ~everywhere))
    look = looks[-1]
    stage = Stage(look.level, look.replicates, before.pairs if before else ())
    pairs = every_pair(sample, order, table.region, stage)
    better = better_matrix(study.labels, pairs)
    places = _places(better, known > 0)
    groups = tie_groups(better, [s for s in order.tolist() if known[s]], study.labels)
    leading = _leading(sample, better, stage, before, everywhere)
    leading &= ~_lost_everywhere(study, columns) & (known > 0)
    ends = rows.with_least_error(sample.least_errors).interval(look.level)
    low, high = (np.clip(end, *VALUE_RANGES[table.name]) for end in ends)
    details = {
        name: entrant_contrasts(unit_values(study, part[:, columns], unit, columns)).estimate
        for name, part in table.details.items()
    }
    return Board(
        name=table.name,
        statement=statement,
        regime=regime,
        quantity=table.quantity,
        region=table.region,
        unit=unit,
        units=_units(sample, rows.replicates[known > 0]),
        workloads=len(columns),
        looks=looks,
        error_rate=round(sum(each.level for each in looks), 12),
        note=" ".join(_notes(study, table, columns, unit, rows, looks, everywhere | (known == 0))),
        rows=tuple(
            BoardRow(
                label=study.labels[s],
                value=number(means[s]),
                low=number(low[s]),
                high=number(high[s]),
                place=places[s],
                letters="".join(g.letter for g in groups if study.labels[s] in g.labels),
                may_be_best=bool(leading[s]),
                workloads=int(known[s]),
                runs=int(runs[s]),
                details={name: number(part[s]) for name, part in details.items()},
            )
            for s in order.tolist()
        ),
        pairs=pairs,
        baseline=_baseline(sample, order, baseline, table.region, stage, before),
    )


def _leading(
    sample: Sample, better: Array, stage: Stage, before: Board | None, everywhere: Array
) -> Array:
    """Return who may be the best, shape (S,): nobody who was out at an earlier look.

    An entrant that misses workloads neither is the best on all of them nor puts others out.
    """
    tested = sample.grown & np.outer(everywhere, everywhere)
    tested &= np.isfinite(sample.values).sum(axis=2).max(axis=1) >= sample.least_units
    leading = may_be_best(sample.values, sample.clusters, stage.level, tested, sample.least_errors)
    out = {row.label for row in before.rows if not row.may_be_best} if before else set()
    leading &= np.array([label not in out for label in sample.labels])
    return leading & everywhere & ~better[everywhere].any(axis=0)


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


def _notes(
    study: StudyArrays,
    table: BoardValues,
    columns: list[int],
    unit: Unit,
    rows: Contrasts,
    looks: tuple[Look, ...],
    everywhere: Array,
) -> list[str]:
    """Return what a reader must know about one board."""
    notes = looks_notes(looks)
    if not rows.testable.any() and len(study.labels) > 1:
        if unit != "replicate":
            # What is said of the values and the looks stands on the board of these workloads.
            return [_too_few_units(rows, unit)]
        if study.n_replicates == 1:
            text = "No verdicts: with one replicate, tuning and evaluation were done once. Nothing "
            notes.append(text + "shows how far a repetition would change the results.")
        elif not np.isfinite(rows.estimate).any():
            notes.append("No verdicts: no optimizer has a value on this board.")
        else:
            notes.append("No verdicts: no optimizer has values in two replicates.")
    if partial := [study.labels[s] for s in np.flatnonzero(~everywhere)]:
        notes.append(
            f"Last, since not on all workloads: {join_names(partial)}. Pairs with "
            f"{plural(len(partial), 'it', 'them')} are over the common workloads."
        )
    names = short_names([study.workloads[w] for w in columns])
    from_study = [study.workloads[w].dataset for w in columns if table.from_study[w]]
    if from_study:
        scale = "target" if table.name == "speed" else "best known loss"
        notes.append(
            f"No frozen {scale} for {join_names(list(dict.fromkeys(from_study)))}: it was derived "
            "from this study, so values move when entrants or seeds are added."
        )
    missing = [n for n, w in zip(names, columns, strict=True) if np.isnan(table.values[:, w]).all()]
    if missing:
        notes.append(f"Without a target or a scale: {join_names(missing)}, left out of this board.")
    return notes


def _too_few_units(rows: Contrasts, unit: Unit) -> str:
    """Say why nothing is said about workloads like these."""
    units = int(rows.replicates.max())
    if not units:
        return "No verdicts: no optimizer has a value on this board."
    if units == 1:
        return f"No verdicts: one {unit} says nothing about other {unit}s."
    return (
        f"No verdicts: {count(units, unit)} say too little about other {unit}s; at least "
        f"{LEAST_UNITS} are needed."
    )


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
