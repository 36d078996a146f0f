"""Comparison of two studies, or of two entrants of one study, with a verdict for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from optbench.errors import ConfigError, unknown_name
from optbench.records import Cell, pool_replicates
from optbench.study.study import Study

if TYPE_CHECKING:
    from optbench.analysis.board_rows import Pair

Outcome = Literal["better", "worse", "not distinguishable"]


@dataclass(frozen=True)
class Comparison:
    """Comparison of one optimizer, B against A.

    Attributes:
        optimizer: Label of the optimizer, or ``"B against A"`` with both labels.
        workloads: Number of workloads that both were evaluated on.
        improvement: Probability that a run of B ends with a lower loss than one of A.
        low: Lower end of its 95 % interval; None if there is none.
        high: Upper end of its 95 % interval; None if there is none.
        p_value: P-value of the Wilcoxon test over workloads.
        verdict: Verdict on B: ``"better"``, ``"worse"`` or ``"not distinguishable"``.
        scope: Scope of the verdict: ``"any workload"`` like these, or only ``"these workloads"`` if
            there are too few for a test over workloads.
    """

    optimizer: str
    workloads: int
    improvement: float
    low: float | None
    high: float | None
    p_value: float
    verdict: Outcome
    scope: Literal["any workload", "these workloads"]

    @property
    def statement(self) -> str:
        """Verdict, with the number of workloads if it covers only these."""
        if self.scope == "any workload":
            return self.verdict
        n = self.workloads
        return f"{self.verdict} on " + ("this workload" if n == 1 else f"these {n} workloads")


@dataclass(frozen=True)
class StudyComparison:
    """Comparisons of B with A, one for each optimizer.

    Attributes:
        rows: One comparison for each optimizer.
        warnings: Sentences on differences between the two sides, such as different protocols.
    """

    rows: tuple[Comparison, ...]
    warnings: tuple[str, ...] = ()

    @property
    def worse(self) -> list[str]:
        """Optimizers that are clearly worse in B."""
        return [row.optimizer for row in self.rows if row.verdict == "worse"]


def compare_studies(first: Study, second: Study) -> StudyComparison:
    """Compare two studies on their common optimizers, workloads and seeds.

    Args:
        first: The study A.
        second: The study B.

    Returns:
        One comparison for each optimizer, seen from B.

    Raises:
        ConfigError: The studies have no common optimizer on a common workload.
    """
    warnings = [*_protocol_warnings(first, second), *_seed_warning(first.cells, second.cells)]
    rows = []
    for label in dict.fromkeys(cell.entrant.label for cell in first.cells):
        sides = _common_cells(_cells_of(first, label), _cells_of(second, label))
        if sides[0]:
            rows.append(_compare(label, *sides, first))
    if not rows:
        raise ConfigError(
            f"{first.place} and {second.place} have no optimizer on a common workload"
        )
    return StudyComparison(tuple(rows), tuple(warnings))


def compare_entrants(study: Study, first: str, second: str) -> StudyComparison:
    """Compare two optimizers of one study on the workloads that both were evaluated on.

    Args:
        study: The study.
        first: Label of A, as in the leaderboard.
        second: Label of B.

    Returns:
        One comparison, seen from B.

    Raises:
        ConfigError: The study lacks one of them, or they have no common workload.
    """
    labels = {cell.entrant.label for cell in study.cells}
    for label in (first, second):
        if label not in labels:
            raise unknown_name(f"optimizer or folder (in the study {study.place})", label, labels)
    if first == second:
        raise ConfigError(f"{first} against itself; give two optimizers")
    sides = _cells_of(study, first), _cells_of(study, second)
    row = _compare(f"{second} against {first}", *_common_cells(*sides), study)
    return StudyComparison((row,), tuple(_seed_warning(*sides)))


def _cells_of(study: Study, label: str) -> list[Cell]:
    return pool_replicates(cell for cell in study.cells if cell.entrant.label == label)


def _protocol_warnings(first: Study, second: Study) -> list[str]:
    differences = []
    for key in first.protocol.__struct_fields__:
        a, b = getattr(first.protocol, key), getattr(second.protocol, key)
        if a != b and key != "seeds":
            differences.append(f"the protocols differ: {key} is {a} in A, {b} in B")
    return differences


def _seed_warning(first: Sequence[Cell], second: Sequence[Cell]) -> list[str]:
    counts = [{len(c.evaluation) for c in side if c.evaluation} for side in (first, second)]
    if len(counts[0] | counts[1]) < 2:
        return []
    a, b = (" or ".join(map(str, sorted(each))) or "none" for each in counts)
    return [f"the seeds differ, {a} in A and {b} in B; compared on the seeds that both have"]


def _common_cells(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """Return the cells of both sides on common workloads, with evaluation runs of common seeds."""
    sides = [{c.workload.label: c for c in side if c.evaluation} for side in (first, second)]
    pairs = [
        _common_seeds(cell, sides[1][label])
        for label, cell in sides[0].items()
        if label in sides[1]
    ]
    comparable = [(a, b) for a, b in pairs if a.evaluation]
    return [a for a, _ in comparable], [b for _, b in comparable]


def _common_seeds(first: Cell, second: Cell) -> tuple[Cell, Cell]:
    seeds = [{run.spec.seed for run in cell.evaluation} for cell in (first, second)]
    common = seeds[0] & seeds[1]
    a, b = (
        replace(cell, evaluation=tuple(r for r in cell.evaluation if r.spec.seed in common))
        for cell in (first, second)
    )
    return a, b


def _compare(title: str, first: Sequence[Cell], second: Sequence[Cell], study: Study) -> Comparison:
    from optbench.analysis.build import build_leaderboard

    if not first:
        raise ConfigError(f"{title}: no workload in common")
    cells = [_renamed(cell, "A") for cell in first] + [_renamed(cell, "B") for cell in second]
    board = build_leaderboard(cells, study.protocol)
    return _seen_from_b(title, board.pairs[0], len(first))


def _renamed(cell: Cell, label: str) -> Cell:
    return replace(cell, entrant=msgspec.structs.replace(cell.entrant, label=label))


def _seen_from_b(title: str, pair: Pair, workloads: int) -> Comparison:
    """Return the comparison for a pair of entrants named A and B."""
    from optbench.analysis.statistics.hypothesis_tests import workloads_needed

    estimate = pair.improvement
    value, low, high = estimate.value, estimate.low, estimate.high
    assert value is not None
    if pair.first == "A":
        value = 1 - value
        low, high = (None if x is None else 1 - x for x in (high, low))
    is_tested = workloads >= workloads_needed(1)
    winners = ("A", "B") if not is_tested else (pair.first,) if pair.separated else ()
    verdict: Outcome = "not distinguishable"
    if low is not None and high is not None:
        if low > 0.5 and "B" in winners:
            verdict = "better"
        if high < 0.5 and "A" in winners:
            verdict = "worse"
    return Comparison(
        optimizer=title,
        workloads=workloads,
        improvement=value,
        low=low,
        high=high,
        p_value=pair.p_value,
        verdict=verdict,
        scope="any workload" if is_tested else "these workloads",
    )
