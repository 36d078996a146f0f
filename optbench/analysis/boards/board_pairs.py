"""The pairs of a board: their differences and verdicts, at one look or at several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optbench.analysis.board_records import BoardPair, Needs, Unit
from optbench.analysis.board_rows import number
from optbench.analysis.boards.board_values import VALUE_RANGES, BoardValues
from optbench.analysis.run_costs import UNKNOWN_PACE, Pace, replicate_seconds, workload_seconds
from optbench.analysis.statistics.contrasts import (
    Contrasts,
    all_pairs,
    cluster_means,
    pair_contrasts,
)
from optbench.analysis.statistics.decisions import Closed, Decision, decide
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array

LEAST_UNITS = 3
"""Datasets, or drawn workloads, without which nothing is said about workloads like these.

Simulations with known truth keep the error rate with three (see docs/statistics.md). Two leave one
degree of freedom: their intervals are far wider than what can be."""
NOT_COMPARED = Closed("open", 1.0, 1.0, 1.0)
"""What stands for a pair in its family if there is nothing to compare: it supports no claim."""


@dataclass(frozen=True)
class Sample:
    """The values of a board as a sample of independent units.

    Attributes:
        labels: Names of the S entrants.
        values: Shape (S, workloads, replicates), as `pair_contrasts` takes them.
        clusters: Cluster of each workload of `values`.
        least_errors: Least standard error of the mean of each entrant, shape (S,).
        is_above_floor: Whether any value of each entrant is above the lowest one possible, shape
            (S,). Two entrants without such a value are not compared: nothing was measured.
        common: Replicates in which both entrants of a pair were evaluated, shape (S, S).
        identical: Which pairs have the same losses in every run, shape (S, S). Their difference is
            0 for certain, whatever the least errors are.
        grown: Which pairs have common results that the look before did not have, shape (S, S).
            Without further results, a pair is not tested again.
        unit: What varies independently.
        unit_seconds: Time that the study takes for one further unit.
        widest: Largest difference that two entrants can have.
    """

    labels: Sequence[str]
    values: Array
    clusters: Sequence[int]
    least_errors: Array
    is_above_floor: Array
    common: Array
    identical: Array
    grown: Array
    unit: Unit
    unit_seconds: float
    widest: float = math.inf

    @property
    def least_units(self) -> int:
        """Units without which nothing is tested."""
        return 2 if self.unit == "replicate" else LEAST_UNITS

    @property
    def complete(self) -> int | None:
        """Number of entrants with values if each of them has one on every workload, or None."""
        has_value: Array = np.isfinite(self.values).max(axis=2)
        measured: Array = has_value.max(axis=1)
        return int(measured.sum()) if has_value[measured].all() else None


def make_sample(
    study: StudyArrays,
    table: BoardValues,
    unit: Unit,
    columns: list[int],
    before: int,
    pace: Pace = UNKNOWN_PACE,
) -> Sample:
    """Return the values of a board as a sample.

    Args:
        study: The runs.
        table: The values.
        unit: What varies independently.
        columns: Indices of the workloads of the board.
        before: Number of replicates at the look before; 0 at the first one.
        pace: How fast the machine trains further runs.
    """
    values = table.on(columns)
    has_run = np.isfinite(table.values[:, columns]).max(axis=1).astype(int)
    known = np.isfinite(values[:, :, before:]).reshape(len(values), -1).astype(float)
    least = table.least_errors(columns) if table.least_errors else np.zeros(len(values))
    is_fixed = unit == "replicate"
    return Sample(
        labels=study.labels,
        values=unit_values(study, values, unit, columns),
        clusters=[study.seed_clusters[w] for w in columns] if is_fixed else [0],
        least_errors=least,
        is_above_floor=np.any(table.is_above_floor[:, columns], axis=(1, 2))
        & ~np.isnan(values).all(axis=(1, 2)),
        common=has_run @ has_run.T,
        identical=_identical(study, columns),
        grown=known @ known.T > 0,
        unit=unit,
        unit_seconds=_unit_seconds(study, columns, unit, pace),
        widest=VALUE_RANGES[table.name][1] - VALUE_RANGES[table.name][0],
    )


def unit_values(study: StudyArrays, values: Array, unit: Unit, columns: list[int]) -> Array:
    """Return values as a sample of units, for `pair_contrasts`.

    Args:
        study: The runs.
        values: Shape (S, workloads, replicates), of the workloads in `columns`.
        unit: What varies independently.
        columns: Indices of the workloads.
    """
    if unit == "replicate":
        return values
    names = [
        study.workloads[w].dataset if unit == "dataset" else study.workload_labels[w]
        for w in columns
    ]
    return cluster_means(values, names)


def _identical(study: StudyArrays, columns: list[int]) -> Array:
    """Return which pairs of entrants have the same losses in every run, shape (S, S)."""
    losses = np.stack([study.train_loss, study.val_loss, study.test_loss])[:, :, columns]
    rows = losses.transpose(1, 0, 2, 3).reshape(len(study.labels), -1)
    rows = np.where(np.isnan(rows), -1.0, rows)
    return np.array([(rows == row).all(axis=1) for row in rows])


def _unit_seconds(study: StudyArrays, columns: list[int], unit: Unit, pace: Pace) -> float:
    """Return the time that the study takes for one further unit."""
    if unit == "replicate":
        return replicate_seconds(study, pace)
    units = (
        len({study.workloads[w].dataset for w in columns}) if unit == "dataset" else len(columns)
    )
    return workload_seconds(study, pace) * len(columns) / units


@dataclass(frozen=True)
class Stage:
    """Where a study that is analyzed at several looks stands.

    Attributes:
        level: Error rate of the present look.
        replicates: Replicates at the present look.
        before: Pairs of the look before; empty at the first one.
    """

    level: float
    replicates: int
    before: Sequence[BoardPair] = ()


def every_pair(sample: Sample, order: Array, region: float, stage: Stage) -> tuple[BoardPair, ...]:
    """Return the family of all pairs.

    Args:
        sample: The values.
        order: Indices of the entrants, best first.
        region: Half width of the region of practical equivalence.
        stage: The look.
    """
    first, second = (order[index] for index in all_pairs(len(order)))
    return make_pairs(sample, first, second, region, stage, sample.complete)


def baseline_pairs(
    sample: Sample, order: Array, baseline: int, region: float, stage: Stage
) -> tuple[BoardPair, ...]:
    """Return the family of the pairs with a baseline (Dunnett 1955): one for each other entrant.

    Args:
        sample: The values.
        order: Indices of the entrants, best first.
        baseline: Index of the baseline.
        region: Half width of the region of practical equivalence.
        stage: The look.
    """
    others = order[order != baseline]
    return make_pairs(sample, others, np.full(len(others), baseline), region, stage)


def make_pairs(
    sample: Sample,
    first: Array,
    second: Array,
    region: float,
    stage: Stage,
    entrants: int | None = None,
) -> tuple[BoardPair, ...]:
    """Return pairs that are one family of comparisons.

    Args:
        sample: The values.
        first, second: Indices of entrants, shape (P,).
        region: Half width of the region of practical equivalence.
        stage: The look.
        entrants: Number of entrants with values if the pairs are all of them, with values on every
            workload.
    """
    contrasts = pair_contrasts(sample.values, first, second, sample.clusters)
    least = np.hypot(sample.least_errors[first], sample.least_errors[second])
    least = np.where(sample.identical[first, second], 0.0, least)
    contrasts = contrasts.with_least_error(least).with_least_units(sample.least_units)
    earlier = _earlier_pairs(sample, first, second, stage)
    is_compared = sample.is_above_floor[first] | sample.is_above_floor[second]
    closed = [
        NOT_COMPARED if not compared else None if pair is None else _closed(pair, sample.labels[i])
        for i, pair, compared in zip(first, earlier, is_compared, strict=True)
    ]
    decisions = decide(contrasts, region, entrants=entrants, alpha=stage.level, closed=closed)
    pairs = []
    for i, (decision, pair) in enumerate(zip(decisions, earlier, strict=True)):
        a, b = int(first[i]), int(second[i])
        if is_compared[i]:
            decided_at = (pair.decided_at if pair else None) or stage.replicates
            pairs.append(_pair(sample, (a, b), decision, contrasts, i, decided_at))
        else:
            units = int(contrasts.replicates[i] or sample.common[a, b])
            pairs.append(_no_verdict(sample.labels[a], sample.labels[b], units))
    return tuple(pairs)


def _pair(
    sample: Sample,
    indices: tuple[int, int],
    decision: Decision,
    contrasts: Contrasts,
    index: int,
    decided_at: int,
) -> BoardPair:
    """Return a pair with its verdict.

    Args:
        sample: The values.
        indices: Both entrants.
        decision: The decision on their difference.
        contrasts: The differences of all pairs.
        index: Index of the pair among them.
        decided_at: Replicates at the look that decided it, if it is decided.
    """
    sign = 1.0
    if decision.difference < 0:  # on common workloads only, which the row's mean is not of
        indices, sign = indices[::-1], -1.0
    low, high = sorted((sign * decision.low, sign * decision.high))
    testable, units = bool(contrasts.testable[index]), int(contrasts.replicates[index])
    return BoardPair(
        first=sample.labels[indices[0]],
        second=sample.labels[indices[1]],
        difference=number(sign * decision.difference),
        low=number(max(low, -sample.widest)),
        high=number(min(high, sample.widest)),
        p=decision.p if testable else None,
        p_adjusted=decision.p_adjusted if testable else None,
        p_equal=decision.p_equal if testable else None,
        verdict=decision.answer,
        needs=_needs(decision, sample, units) if testable else None,
        units=units,
        error=number(contrasts.error[index]),
        df=number(contrasts.df[index]) if testable else None,
        decided_at=None if decision.answer == "open" else decided_at,
    )


def _no_verdict(first: str, second: str, units: int) -> BoardPair:
    """Return a pair of entrants of which neither has a value above the lowest one possible."""
    return BoardPair(
        first=first,
        second=second,
        difference=None,
        low=None,
        high=None,
        p=None,
        p_adjusted=None,
        p_equal=None,
        verdict="open",
        needs=None,
        units=units,
    )


def better_matrix(labels: Sequence[str], pairs: Sequence[BoardPair]) -> Array:
    """Return who is better than whom, shape (S, S)."""
    index = {label: i for i, label in enumerate(labels)}
    better = np.zeros((len(labels), len(labels)), dtype=bool)
    for pair in pairs:
        if pair.verdict == "better":
            better[index[pair.first], index[pair.second]] = True
    return better


def _earlier_pairs(
    sample: Sample, first: Array, second: Array, stage: Stage
) -> list[BoardPair | None]:
    """Return the pairs of the look before that are not tested now; None for the others."""
    before = {frozenset((pair.first, pair.second)): pair for pair in stage.before}
    earlier = []
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        pair = before.get(frozenset((sample.labels[a], sample.labels[b])))
        is_tested = pair is None or (pair.decided_at is None and sample.grown[a, b])
        earlier.append(None if is_tested else pair)
    return earlier


def _closed(pair: BoardPair, first: str) -> Closed:
    sign = 1.0 if pair.first == first else -1.0
    p_adjusted = 1.0 if pair.p_adjusted is None else pair.p_adjusted
    p_equal = 1.0 if pair.p_equal is None else pair.p_equal
    return Closed(pair.verdict, sign, p_adjusted, p_equal)


def _needs(decision: Decision, sample: Sample, units: int) -> Needs | None:
    """Return what an open pair needs."""
    if decision.answer != "open":
        return None
    if decision.needs is None:
        return Needs()
    further = (decision.needs - units) * sample.unit_seconds
    if sample.unit == "replicate":
        return Needs(replicates=decision.needs, seconds=further)
    return Needs(workloads=decision.needs, seconds=further)
