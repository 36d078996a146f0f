"""Boards from their values: order, intervals, places, letters and verdicts, all of one mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optbench.analysis.board_records import (
    STATEMENTS,
    Board,
    BoardPair,
    BoardRow,
    Needs,
    Statement,
    Unit,
)
from optbench.analysis.board_rows import CriticalDifference, number
from optbench.analysis.boards.board_values import BoardValues
from optbench.analysis.grouping import indices_by_key
from optbench.analysis.statistics.contrasts import (
    Contrasts,
    all_pairs,
    cluster_means,
    entrant_contrasts,
    pair_contrasts,
)
from optbench.analysis.statistics.decisions import Closed, Decision, decide
from optbench.analysis.statistics.multiplicity import may_be_best
from optbench.analysis.statistics.ranking import place_ranges, tie_groups
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.prose import count, join_names, looks_notes, short_names
from optbench.contracts import Array
from optbench.records import ALPHA, Look, Regime


@dataclass(frozen=True)
class Sample:
    """The values of a board as a sample of independent units.

    Attributes:
        values: Shape (S, workloads, replicates), as `pair_contrasts` takes them.
        clusters: Cluster of each workload of `values`.
        least_errors: Least standard error of the mean of each entrant, shape (S,).
    """

    values: Array
    clusters: Sequence[int]
    least_errors: Array


def make_boards(
    study: StudyArrays,
    tables: Sequence[BoardValues],
    *,
    drawn: bool = False,
    looks: Sequence[Look] = (),
    before: Sequence[Board] = (),
) -> tuple[Board, ...]:
    """Return the boards of a study: both statements, then those of each regime.

    Args:
        study: The runs.
        tables: Results of `board_values`.
        drawn: Whether the workloads were drawn from a declared distribution.
        looks: The looks at a growing study up to this one; by default, this is the only look.
        before: Boards of the previous look.
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
            taken,
            earlier.get((table.name, statement, regime)),
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
    looks: tuple[Look, ...],
    before: Board | None,
) -> Board:
    unit: Unit = "replicate"
    if statement == "workloads-like-these":
        unit = "drawn workload" if drawn else "dataset"
    values = table.values[:, columns]
    sample = _sample(study, table, unit, columns)
    rows = entrant_contrasts(sample.values, sample.clusters)
    means = np.round(rows.estimate, 12)  # so that equal runs tie
    order = np.argsort(-np.where(np.isnan(means), -np.inf, means), kind="stable")
    seconds = _unit_seconds(study, columns, unit)
    pairs, better = _pairs(study.labels, sample, order, table.region, unit, seconds, looks, before)
    places = place_ranges(better)
    groups = tie_groups(better, order.tolist(), study.labels)
    beaten = {b for _, b in np.argwhere(better).tolist()}
    level = looks[-1].level
    leading = may_be_best(sample.values, sample.clusters, level)
    if before is not None:
        out = {row.label for row in before.rows if not row.may_be_best}
        leading &= np.array([label not in out for label in study.labels])
    low, high = rows.with_least_error(sample.least_errors).interval(level)
    details = {name: _mean(part[:, columns]) for name, part in table.details.items()}
    known = np.isfinite(values).any(axis=2).sum(axis=1).tolist()
    return Board(
        name=table.name,
        statement=statement,
        regime=regime,
        quantity=table.quantity,
        region=table.region,
        unit=unit,
        units=int(rows.replicates.min() if unit == "replicate" else rows.replicates.max()),
        workloads=len(columns),
        looks=looks,
        error_rate=round(sum(look.level for look in looks), 12),
        note=" ".join(_notes(study, table, columns, unit, rows, looks)),
        rows=tuple(
            BoardRow(
                label=study.labels[s],
                value=number(means[s]),
                low=number(low[s]),
                high=number(high[s]),
                place=places[s],
                letters="".join(g.letter for g in groups if study.labels[s] in g.labels),
                may_be_best=bool(leading[s]) and s not in beaten,
                workloads=known[s],
                details={name: number(part[s]) for name, part in details.items()},
            )
            for s in order.tolist()
        ),
        pairs=pairs,
    )


def _sample(study: StudyArrays, table: BoardValues, unit: Unit, columns: list[int]) -> Sample:
    values = table.values[:, columns]
    least = table.least_errors(columns) if table.least_errors else np.zeros(len(values))
    if unit == "replicate":
        return Sample(values, [study.seed_clusters[w] for w in columns], least)
    names = [
        study.workloads[w].dataset if unit == "dataset" else study.workload_labels[w]
        for w in columns
    ]
    return Sample(cluster_means(values, names), [0], least)


def _pairs(
    labels: Sequence[str],
    sample: Sample,
    order: Array,
    region: float,
    unit: Unit,
    seconds: float,
    looks: tuple[Look, ...],
    before: Board | None,
) -> tuple[tuple[BoardPair, ...], Array]:
    """Return all pairs in the order of the rows; and who is better, shape (S, S)."""
    first, second = (order[index] for index in all_pairs(len(order)))
    contrasts = pair_contrasts(sample.values, first, second, sample.clusters)
    least = np.hypot(sample.least_errors[first], sample.least_errors[second])
    contrasts = contrasts.with_least_error(least)
    complete = not np.isnan(sample.values).all(axis=2).any()  # equal means, if not equal numbers
    closed_at, closed = _closed(labels, first, second, before)
    decisions = decide(
        contrasts,
        region,
        entrants=len(order) if complete else None,
        alpha=looks[-1].level,
        closed=closed,
    )
    better = np.zeros((len(order), len(order)), dtype=bool)
    pairs = []
    for i, decision in enumerate(decisions):
        a, b, sign = int(first[i]), int(second[i]), 1.0
        if decision.difference < 0:  # on common workloads only, which the row's mean is not of
            a, b, sign = b, a, -1.0
        better[a, b] = decision.answer == "better"
        low, high = sorted((sign * decision.low, sign * decision.high))
        testable = bool(contrasts.testable[i])
        pairs.append(
            BoardPair(
                first=labels[a],
                second=labels[b],
                difference=number(sign * decision.difference),
                low=number(low),
                high=number(high),
                p=decision.p if testable else None,
                p_adjusted=decision.p_adjusted if testable else None,
                p_equal=decision.p_equal if testable else None,
                verdict=decision.answer,
                needs=_needs(decision, unit, int(contrasts.replicates[i]), seconds),
                units=int(contrasts.replicates[i]),
                error=number(contrasts.error[i]),
                df=number(contrasts.df[i]) if testable else None,
                decided_at=None
                if decision.answer == "open"
                else closed_at[i] or looks[-1].replicates,
            )
        )
    return tuple(pairs), better


def _closed(
    labels: Sequence[str], first: Array, second: Array, before: Board | None
) -> tuple[list[int | None], list[Closed | None]]:
    """Return when earlier looks closed each pair, and with which verdict; None for open pairs."""
    known = {frozenset((p.first, p.second)): p for p in before.pairs} if before else {}
    looks: list[int | None] = []
    closed: list[Closed | None] = []
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        pair = known.get(frozenset((labels[a], labels[b])))
        if pair is None or pair.decided_at is None:
            looks.append(None)
            closed.append(None)
            continue
        sign = 1.0 if pair.first == labels[a] else -1.0
        looks.append(pair.decided_at)
        closed.append(Closed(pair.verdict, sign, pair.p_adjusted or 0.0, pair.p_equal or 0.0))
    return looks, closed


def _needs(decision: Decision, unit: Unit, units: int, seconds: float) -> Needs | None:
    """Return what an open pair needs; `seconds` is the time of one entrant in one unit."""
    if decision.answer != "open" or units < 2:
        return None
    if decision.needs is None:
        return Needs()
    further = 2 * (decision.needs - units) * seconds
    if unit == "replicate":
        return Needs(replicates=decision.needs, seconds=further)
    return Needs(workloads=decision.needs, seconds=further)


def _mean(values: Array) -> Array:
    """Return the mean over replicates, then workloads, shape (S,); NaN where there is none."""
    contrasts: Contrasts = entrant_contrasts(values)
    return contrasts.estimate


def _unit_seconds(study: StudyArrays, columns: list[int], unit: Unit) -> float:
    """Return the mean training time of one entrant in one unit, tuning included."""
    total = float(study.workload_seconds[columns].sum())
    units = {
        "replicate": study.n_replicates,
        "dataset": len({study.workloads[w].dataset for w in columns}),
        "drawn workload": len(columns),
    }
    return total / units[unit] / len(study.labels)


def _notes(
    study: StudyArrays,
    table: BoardValues,
    columns: list[int],
    unit: Unit,
    rows: Contrasts,
    looks: tuple[Look, ...],
) -> list[str]:
    """Return what a reader must know about one board."""
    notes = looks_notes(looks)
    if not rows.testable.any() and len(study.labels) > 1:
        if unit == "replicate":
            text = "No verdicts: with one replicate, tuning and evaluation were done once. Nothing "
            notes.append(text + "shows how far a repetition would change the results.")
        else:
            notes.append(f"No verdicts: one {unit} says nothing about other {unit}s.")
    names = short_names([study.workloads[w] for w in columns])
    from_study = [name for name, w in zip(names, columns, strict=True) if table.from_study[w]]
    if from_study:
        scale = "target" if table.name == "speed" else "best known loss"
        notes.append(
            f"No frozen {scale} for {join_names(from_study)}: it is derived from this study, so "
            "values move when entrants or seeds are added."
        )
    missing = [n for n, w in zip(names, columns, strict=True) if np.isnan(table.values[:, w]).all()]
    if missing:
        notes.append(f"Without a target or a scale: {join_names(missing)}, left out of this board.")
    return notes


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
