"""The pairs of two sides, such as an optimizer before and after a change, on every board."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optbench.analysis.board_records import BoardPair
from optbench.analysis.boards.board_pairs import Stage, make_pairs, make_sample
from optbench.analysis.boards.board_values import BoardValues, board_values
from optbench.analysis.boards.score_scales import scales_of
from optbench.analysis.statistics.contrasts import entrant_contrasts
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.records import BoardName, Cell, Criteria, Look, StudyProtocol
from optbench.suites import Targets


@dataclass(frozen=True)
class SidePairs:
    """The pairs of one board, which are one family.

    Attributes:
        board: Name of the board.
        region: Half width of its region of practical equivalence.
        pairs: One pair for each couple of labels, in their order.
        solved: Label -> share of its runs that reached the target; empty on other boards than that
            of speed.
        idle: Labels without a value on the board, since they do no better than guessing.
    """

    board: BoardName
    region: float
    pairs: tuple[BoardPair, ...]
    solved: Mapping[str, float]
    idle: frozenset[str]


def side_pairs(
    cells: Sequence[Cell],
    couples: Sequence[tuple[str, str]],
    protocol: StudyProtocol,
    targets: Targets,
    criteria: Criteria,
    looks: Sequence[Look],
    whole: Sequence[Cell] = (),
) -> list[SidePairs]:
    """Compare the two labels of each couple on every board, on these workloads.

    Args:
        cells: The cells of all labels.
        couples: Labels of both sides.
        protocol: How configurations were chosen.
        targets: Frozen losses by (dataset, ``Workload.network``).
        criteria: The regions of practical equivalence.
        looks: The looks at which the couples are compared; the last one has all replicates.
        whole: The cells from which losses that `targets` lacks are derived; by default `cells`.
    """
    families: list[SidePairs] = []
    before = 0
    for look in looks:
        end = None if look is looks[-1] else protocol.first_replicate + look.replicates
        study = StudyArrays([cell for cell in cells if end is None or cell.replicate < end])
        origin = StudyArrays([c for c in whole or cells if end is None or c.replicate < end])
        if {label for couple in couples for label in couple} - set(study.labels):
            continue
        scales = scales_of(origin, targets).on(
            [origin.workload_labels.index(label) for label in study.workload_labels]
        )
        tables = board_values(study, scales, protocol.select != "val_loss", criteria)
        first, second = (
            np.array([study.labels.index(couple[side]) for couple in couples]) for side in (0, 1)
        )
        tables = tuple(_with_fixed_couples(table, first, second) for table in tables)
        everything = list(range(len(study.workloads)))
        earlier = [family.pairs for family in families] or [()] * len(tables)
        families = [
            SidePairs(
                table.name,
                table.region,
                make_pairs(
                    make_sample(study, table, "replicate", everything, before),
                    first,
                    second,
                    table.region,
                    Stage(look.level, look.replicates, pairs),
                ),
                _solved(study, table),
                _idle(study, table, everything),
            )
            for table, pairs in zip(tables, earlier, strict=True)
        ]
        before = look.replicates
    return families


def _solved(study: StudyArrays, table: BoardValues) -> dict[str, float]:
    """Return the share of the runs of each label that reached the target, where it is known."""
    if "solved" not in table.details:
        return {}
    shares = entrant_contrasts(table.details["solved"]).estimate.tolist()
    return {
        label: share
        for label, share in zip(study.labels, shares, strict=True)
        if not math.isnan(share)
    }


def _idle(study: StudyArrays, table: BoardValues, columns: Sequence[int]) -> frozenset[str]:
    """Return the labels that the board leaves out."""
    if table.left_out is None:
        return frozenset()
    is_out = table.left_out(columns).tolist()
    return frozenset(label for label, out in zip(study.labels, is_out, strict=True) if out)


def _with_fixed_couples(table: BoardValues, first: Array, second: Array) -> BoardValues:
    """Return a board on which two fixed configurations are compared, whatever else was tuned.

    On the stability board neither has a regret, so the lost runs of both are compared.
    """
    if table.name != "stability":
        return table
    values, regret = table.values.copy(), table.details["regret"]
    is_fixed = np.isnan(regret[first]) & np.isnan(regret[second])
    for side in (first, second):
        values[side] = np.where(is_fixed, 1 - table.details["lost"][side], values[side])
    return replace(table, values=values)
