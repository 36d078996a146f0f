"""Comparison of two studies, or of two entrants of one study, with a verdict on every board."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from optbench.errors import ConfigError, unknown_name
from optbench.records import ALPHA, Cell, Criteria, Look
from optbench.study.environment import machine_differences
from optbench.study.study import Study

if TYPE_CHECKING:
    from optbench.analysis.board_records import BoardPair
    from optbench.analysis.boards.side_pairs import SidePairs
    from optbench.records import BoardName

Outcome = Literal["better", "worse", "equal", "open"]


@dataclass(frozen=True)
class BoardComparison:
    """B against A on one board, on their common workloads.

    Attributes:
        board: Name of the board: ``"final-loss"``, ``"training-loss"``, ``"speed"`` or
            ``"stability"``.
        difference: Value of B minus value of A; higher is better. None without a common value.
        low: Lower end of its interval, of level `StudyComparison.level`; None with one replicate.
        high: Upper end of its interval; None with one replicate.
        p_adjusted: p-value of a difference of 0, corrected for all optimizers that are compared.
        region: Half width of the region of practical equivalence.
        verdict: Verdict on B: ``"equal"`` if the difference lies surely within the region;
            otherwise ``"better"`` or ``"worse"`` if it is surely not 0; otherwise ``"open"``.
        needs: Replicates in all that would decide an open verdict; None if unknown.
        at_floor: Whether neither side has a value above the lowest one possible, such as a target
            that neither reaches in any run: there is nothing to compare.
        solved: On the board of speed, the shares of the runs of A and of B that reached the target,
            None on the others. A miss counts as a fixed cost, so with misses a factor is a bound.
        idle: On the board of stability, the sides that do no better than guessing, so that they
            have no value. B is not judged then; it cannot be worse where A is idle.
    """

    board: BoardName
    difference: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    region: float
    verdict: Outcome
    needs: int | None
    at_floor: bool = False
    solved: tuple[float | None, float | None] | None = None
    idle: tuple[Literal["A", "B"], ...] = ()

    @property
    def solved_by_faster_first(self) -> tuple[float | None, float | None]:
        """The shares `solved`, that of the side with the higher value first."""
        a, b = self.solved or (None, None)
        return (b, a) if (self.difference or 0.0) > 0 else (a, b)


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
        level: Level of the intervals. It is 95% unless a study was analyzed at several looks.
        missing: What A has and B has not: optimizers, workloads, or an optimizer on a workload.
    """

    rows: tuple[Comparison, ...]
    warnings: tuple[str, ...] = ()
    level: float = 1 - ALPHA
    missing: tuple[str, ...] = ()

    def untested(self, boards: Iterable[str] = ("final-loss",)) -> list[str]:
        """Return the optimizers that cannot be tested on one of these boards.

        Where A does no better than guessing, there is nothing that B could be worse than.
        """
        names = set(boards)
        return [
            row.optimizer
            for row in self.rows
            if any(
                each.p_adjusted is None and not each.at_floor and "A" not in each.idle
                for each in row.boards
                if each.board in names
            )
        ]

    def idle(self, boards: Iterable[str]) -> list[str]:
        """Return the optimizers that do no better than guessing in B alone, on these boards."""
        names = set(boards)
        return [
            row.optimizer
            for row in self.rows
            if any(each.idle == ("B",) for each in row.boards if each.board in names)
        ]

    def worse(self, boards: Iterable[str] = ("final-loss",)) -> list[str]:
        """Return the optimizers that are worse in B on any of these boards."""
        names = tuple(boards)
        return [
            row.optimizer
            for row in self.rows
            if any(row.verdict(board) == "worse" for board in names)
        ]


def compare_studies(
    first: Study, second: Study, *, regions: Mapping[str, float | str] | None = None
) -> StudyComparison:
    """Compare two studies on their common optimizers, workloads and seeds.

    Args:
        first: The study A.
        second: The study B.
        regions: Half widths of regions of practical equivalence by board, such as
            ``{"speed": "20%"}``; those of other boards are the ones of A.

    Returns:
        One comparison for each optimizer, seen from B.

    Raises:
        ConfigError: The studies have no common optimizer on a common workload, or a region is not
            allowed.
    """
    from optbench.analysis.statistics.spending import level_of_either

    criteria = first.criteria.change(regions=regions)
    warnings = [
        *_protocol_warnings(first, second),
        *_seed_warning(first.cells, second.cells),
        *machine_differences(first.environment, second.environment),
    ]
    sides = {
        label: _common_cells(label, _cells_of(first, label), _cells_of(second, label))
        for label in dict.fromkeys(cell.entrant.label for cell in first.cells)
    }
    sides = {label: cells for label, cells in sides.items() if cells}
    if not sides:
        raise ConfigError(
            f"{first.place} and {second.place} have no optimizer on a common workload"
        )
    if first.criteria.regions != second.criteria.regions and not regions:
        warnings.append("the regions of practical equivalence differ; those of A are used")
    level = level_of_either(first.looks, second.looks)
    if level < ALPHA:
        rate = max(sum(look.level for look in study.looks) for study in (first, second))
        warnings.append(
            "the number of replicates depends on the results, as the study was analyzed at several "
            f"looks: verdicts are reached at a level of {100 * level:.1f}% instead of "
            f"{100 * ALPHA:.0f}%" + (f", {_sum_text(rate)}" if rate > ALPHA + 1e-9 else "")
        )
    missing = tuple(_missing(first.cells, second.cells))
    for side, names in (("A", missing), ("B", _missing(second.cells, first.cells))):
        warnings += [f"only in {side}, not compared: {name}" for name in names]
    rows = _compare(sides, first, criteria, [Look(replicates=0, level=level)])
    return StudyComparison(rows, tuple(warnings), 1 - level, missing)


def compare_entrants(
    study: Study, first: str, second: str, *, regions: Mapping[str, float | str] | None = None
) -> StudyComparison:
    """Compare two optimizers of one study on the workloads that both were evaluated on.

    A study that was analyzed at several looks is compared at each of them, as its boards are.

    Args:
        study: The study.
        first: Label of A, as in the leaderboard.
        second: Label of B.
        regions: As for `compare_studies`; by default, those of the study.

    Returns:
        One comparison, seen from B.

    Raises:
        ConfigError: The study lacks one of them, they have no common workload, or a region is not
            allowed.
    """
    from optbench.analysis.words.prose import looks_notes

    criteria = study.criteria.change(regions=regions)
    labels = {cell.entrant.label for cell in study.cells}
    for label in (first, second):
        if label not in labels:
            raise unknown_name(f"optimizer or folder (in the study {study.place})", label, labels)
    if first == second:
        raise ConfigError(f"{first} against itself; give two optimizers")
    sides = _cells_of(study, first), _cells_of(study, second)
    title = f"{second} against {first}"
    cells = _common_cells(title, *sides)
    if not cells:
        raise ConfigError(f"{title}: no workload in common")
    looks = study.looks or (Look(replicates=0, level=ALPHA),)
    rows = _compare({title: cells}, study, criteria, looks, study.cells)
    own = [dict.fromkeys(cell.workload.label for cell in side) for side in sides]
    missing = tuple(f"{second} on {workload}" for workload in own[0] if workload not in own[1])
    warnings = (*_seed_warning(*sides), *_choice_warning(labels), *looks_notes(looks))
    return StudyComparison(rows, warnings, 1 - looks[-1].level, missing)


def _sum_text(rate: float) -> str:
    return f"and those of all looks, at each of which one may compare, add up to {100 * rate:.1f}%"


def _cells_of(study: Study, label: str) -> list[Cell]:
    return [cell for cell in study.cells if cell.entrant.label == label and cell.evaluation]


def _protocol_warnings(first: Study, second: Study) -> list[str]:
    differences = []
    for key in first.protocol.__struct_fields__:
        a, b = getattr(first.protocol, key), getattr(second.protocol, key)
        if a != b and key not in ("seeds", "replicates", "first_replicate"):
            differences.append(f"the protocols differ: {key} is {a} in A, {b} in B")
    return differences


def _missing(first: Sequence[Cell], second: Sequence[Cell]) -> list[str]:
    """Return the optimizers and the workloads that only the first side has evaluated.

    What is missing as a whole is not named again part by part.
    """
    sides = [
        dict.fromkeys((c.entrant.label, c.workload.label) for c in side if c.evaluation)
        for side in (first, second)
    ]
    labels, workloads = ({pair[i] for pair in sides[1]} for i in range(2))
    names = dict.fromkeys(
        label
        if label not in labels
        else workload
        if workload not in workloads
        else f"{label} on {workload}"
        for label, workload in sides[0]
        if (label, workload) not in sides[1]
    )
    return list(names)


def _choice_warning(labels: Collection[str]) -> list[str]:
    """Say that the error rate of one pair assumes that it was not chosen by its results."""
    if len(labels) < 3:
        return []
    return [
        f"one pair of the {math.comb(len(labels), 2)} of the study, without a correction for the "
        "others: the error rate holds if this pair was chosen before the results were seen; the "
        "boards correct for all pairs"
    ]


def _seed_warning(first: Sequence[Cell], second: Sequence[Cell]) -> list[str]:
    counts = [{len(c.evaluation) for c in side if c.evaluation} for side in (first, second)]
    if len(counts[0] | counts[1]) < 2:
        return []
    a, b = (" or ".join(map(str, sorted(each))) or "none" for each in counts)
    return [f"the seeds differ, {a} in A and {b} in B; compared on the seeds that both have"]


def _common_cells(title: str, first: Sequence[Cell], second: Sequence[Cell]) -> list[Cell]:
    """Return the cells of both sides on common workloads, as entrants ``A title``, ``B title``.

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
                cells += [_renamed(a, f"A {title}"), _renamed(b, f"B {title}")]
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


def _compare(
    sides: Mapping[str, Sequence[Cell]],
    study: Study,
    criteria: Criteria,
    looks: Sequence[Look],
    whole: Sequence[Cell] = (),
) -> tuple[Comparison, ...]:
    """Compare A and B for each title; on each board, all titles are one family.

    Args:
        sides: Title -> cells of the entrants ``A title`` and ``B title``.
        study: The study with the protocol.
        criteria: The regions of practical equivalence.
        looks: The looks at which they are compared.
        whole: The cells from which losses that are not frozen are derived; by default those of
            the sides.
    """
    from optbench.analysis.boards.side_pairs import side_pairs
    from optbench.registry import default_registry
    from optbench.suites import known_targets

    families = side_pairs(
        [cell for cells in sides.values() for cell in cells],
        [(f"B {title}", f"A {title}") for title in sides],
        study.protocol,
        known_targets(default_registry()),
        criteria,
        looks,
        whole,
    )
    return tuple(
        Comparison(
            optimizer=title,
            workloads=len({cell.workload.label for cell in cells}),
            replicates=families[0].pairs[i].units,
            boards=tuple(_seen_from_b(title, each, each.pairs[i]) for each in families),
        )
        for i, (title, cells) in enumerate(sides.items())
    )


def _seen_from_b(title: str, family: SidePairs, pair: BoardPair) -> BoardComparison:
    """Return the comparison for a pair of entrants ``A title`` and ``B title``."""
    is_first = pair.first == f"B {title}"
    difference, low, high = pair.difference, pair.low, pair.high
    if not is_first:
        difference, low, high = (
            None if value is None else 0.0 - value for value in (difference, high, low)
        )  # 0 - 0 is 0, and -0 is shown with its sign
    verdict: Outcome = pair.verdict
    if verdict == "better" and not is_first:
        verdict = "worse"
    return BoardComparison(
        board=family.board,
        difference=difference,
        low=low,
        high=high,
        p_adjusted=pair.p_adjusted,
        region=family.region,
        verdict=verdict,
        needs=pair.needs.replicates if pair.needs else None,
        at_floor=pair.difference is None and pair.units > 0,
        solved=(family.solved.get(f"A {title}"), family.solved.get(f"B {title}"))
        if family.board == "speed"
        else None,
        idle=tuple(side for side in ("A", "B") if f"{side} {title}" in family.idle),
    )
