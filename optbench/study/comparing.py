"""Comparison of two studies, or of two entrants of one study, with a verdict on every board."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from optbench.errors import ConfigError, unknown_name
from optbench.records import ALPHA, Cell
from optbench.study.study import Study

if TYPE_CHECKING:
    from optbench.analysis.board_records import Board, BoardName, BoardPair

Outcome = Literal["better", "worse", "equal", "open"]


@dataclass(frozen=True)
class BoardComparison:
    """B against A on one board, on their common workloads.

    Attributes:
        board: Name of the board: ``"final-loss"``, ``"training-loss"``, ``"speed"`` or
            ``"stability"``.
        difference: Value of B minus value of A; higher is better. None without a common value.
        low: Lower end of its 95% interval; None with one replicate.
        high: Upper end of its 95% interval; None with one replicate.
        p_adjusted: p-value of a difference of 0, corrected for all optimizers that are compared.
        region: Half width of the region of practical equivalence.
        verdict: Verdict on B: ``"equal"`` if the difference lies surely within the region;
            otherwise ``"better"`` or ``"worse"`` if it is surely not 0; otherwise ``"open"``.
        needs: Replicates in all that would decide an open verdict; None if unknown.
    """

    board: BoardName
    difference: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    region: float
    verdict: Outcome
    needs: int | None


@dataclass(frozen=True)
class Comparison:
    """Comparison of one optimizer, B against A.

    Attributes:
        optimizer: Label of the optimizer, or ``"B against A"`` with both labels.
        workloads: Number of workloads that both were evaluated on.
        replicates: Number of replicates that both have.
        boards: One comparison for each board.
    """

    optimizer: str
    workloads: int
    replicates: int
    boards: tuple[BoardComparison, ...]

    def verdict(self, board: str = "final-loss") -> Outcome:
        """Return the verdict on B on a board."""
        return next(each.verdict for each in self.boards if each.board == board)


@dataclass(frozen=True)
class StudyComparison:
    """Comparisons of B with A, one for each optimizer.

    Attributes:
        rows: One comparison for each optimizer.
        warnings: Sentences on differences between the two sides, such as different protocols.
    """

    rows: tuple[Comparison, ...]
    warnings: tuple[str, ...] = ()

    def worse(self, boards: Iterable[str] = ("final-loss",)) -> list[str]:
        """Return the optimizers that are worse in B on any of these boards."""
        names = tuple(boards)
        return [
            row.optimizer
            for row in self.rows
            if any(row.verdict(board) == "worse" for board in names)
        ]


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
    sides = {
        label: _common_cells(_cells_of(first, label), _cells_of(second, label))
        for label in dict.fromkeys(cell.entrant.label for cell in first.cells)
    }
    sides = {label: cells for label, cells in sides.items() if cells}
    if not sides:
        raise ConfigError(
            f"{first.place} and {second.place} have no optimizer on a common workload"
        )
    return StudyComparison(_compare(sides, first), tuple(warnings))


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
    title, cells = f"{second} against {first}", _common_cells(*sides)
    if not cells:
        raise ConfigError(f"{title}: no workload in common")
    return StudyComparison(_compare({title: cells}, study), tuple(_seed_warning(*sides)))


def _cells_of(study: Study, label: str) -> list[Cell]:
    return [cell for cell in study.cells if cell.entrant.label == label and cell.evaluation]


def _protocol_warnings(first: Study, second: Study) -> list[str]:
    differences = []
    for key in first.protocol.__struct_fields__:
        a, b = getattr(first.protocol, key), getattr(second.protocol, key)
        if a != b and key not in ("seeds", "replicates", "first_replicate"):
            differences.append(f"the protocols differ: {key} is {a} in A, {b} in B")
    return differences


def _seed_warning(first: Sequence[Cell], second: Sequence[Cell]) -> list[str]:
    counts = [{len(c.evaluation) for c in side if c.evaluation} for side in (first, second)]
    if len(counts[0] | counts[1]) < 2:
        return []
    a, b = (" or ".join(map(str, sorted(each))) or "none" for each in counts)
    return [f"the seeds differ, {a} in A and {b} in B; compared on the seeds that both have"]


def _common_cells(first: Sequence[Cell], second: Sequence[Cell]) -> list[Cell]:
    """Return the cells of both sides on common workloads, as entrants A and B.

    Replicates of the same number have common seeds, and are compared on those. Without a common
    seed the replicates are independent of one another, and are paired in their order.
    """
    sides: list[dict[str, list[Cell]]] = []
    for side in (first, second):
        by_workload: dict[str, list[Cell]] = {}
        for cell in sorted(side, key=lambda cell: cell.replicate):
            by_workload.setdefault(cell.workload.label, []).append(cell)
        sides.append(by_workload)
    cells = []
    for label in sides[0]:
        if label in sides[1]:
            for a, b in _common_replicates(sides[0][label], sides[1][label]):
                cells += [_renamed(a, "A"), _renamed(b, "B")]
    return cells


def _common_replicates(first: list[Cell], second: list[Cell]) -> list[tuple[Cell, Cell]]:
    others = {cell.replicate: cell for cell in second}
    paired = [
        _common_seeds(cell, others[cell.replicate]) for cell in first if cell.replicate in others
    ]
    common = [(a, b) for a, b in paired if a.evaluation]
    if common:
        return common
    return [
        (replace(a, replicate=i), replace(b, replicate=i))
        for i, (a, b) in enumerate(zip(first, second, strict=False))
    ]


def _common_seeds(first: Cell, second: Cell) -> tuple[Cell, Cell]:
    seeds = [{run.spec.seed for run in cell.evaluation} for cell in (first, second)]
    common = seeds[0] & seeds[1]
    a, b = (
        replace(cell, evaluation=tuple(r for r in cell.evaluation if r.spec.seed in common))
        for cell in (first, second)
    )
    return a, b


def _renamed(cell: Cell, label: str) -> Cell:
    return replace(cell, entrant=msgspec.structs.replace(cell.entrant, label=label))


def _compare(sides: dict[str, list[Cell]], study: Study) -> tuple[Comparison, ...]:
    """Compare A and B for each title.

    Args:
        sides: Title -> cells of the entrants A and B.
        study: The study with the protocol.
    """
    from optbench.analysis.build import build_boards
    from optbench.analysis.statistics.multiplicity import holm
    from optbench.registry import default_registry
    from optbench.suites import known_targets

    targets = known_targets(default_registry())
    boards: list[list[Board]] = []
    for cells in sides.values():
        every = build_boards(cells, study.protocol, targets)
        boards.append([b for b in every if b.statement == "these-workloads" and b.regime is None])
    columns = []
    for same in zip(*boards, strict=True):  # one board of every optimizer
        pairs = [board.pairs[0] for board in same]
        p, q = (
            holm([1.0 if value is None else value for value in values])
            for values in ([x.p for x in pairs], [x.p_equal for x in pairs])
        )
        columns.append(
            [
                _seen_from_b(board, pair, float(different), float(equal))
                for board, pair, different, equal in zip(same, pairs, p, q, strict=True)
            ]
        )
    return tuple(
        Comparison(title, own[0].workloads, own[0].units, rows)
        for title, own, rows in zip(sides, boards, zip(*columns, strict=True), strict=True)
    )


def _seen_from_b(board: Board, pair: BoardPair, p: float, p_equal: float) -> BoardComparison:
    """Return the comparison for a pair of entrants named A and B.

    Args:
        board: The board of the pair.
        pair: The pair.
        p: Corrected p-value of a difference of 0.
        p_equal: Corrected p-value of a difference outside the region.
    """
    difference, low, high = pair.difference, pair.low, pair.high
    if pair.first == "A":
        difference, low, high = (
            None if value is None else 0.0 - value for value in (difference, high, low)
        )  # 0 - 0 is 0, and -0 is shown with its sign
    verdict: Outcome = "open"
    if p_equal <= ALPHA:
        verdict = "equal"
    elif p <= ALPHA:
        verdict = "better" if (difference or 0.0) > 0 else "worse"
    needs = pair.needs.replicates if pair.needs and verdict == "open" else None
    return BoardComparison(
        board=board.name,
        difference=difference,
        low=low,
        high=high,
        p_adjusted=None if pair.p is None else p,
        region=board.region,
        verdict=verdict,
        needs=needs,
    )
