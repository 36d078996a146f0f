"""What ails whom: the diagnosis of one judged run of every entrant on every workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optbench.analysis.illness import ILLNESSES, Finding, diagnose_workload
from optbench.records import Cell


@dataclass(frozen=True)
class Survey:
    """Illnesses over a study.

    Attributes:
        illnesses: those that someone has, causes before effects.
        found: entrant -> illness -> workload -> its finding there.
        judged: entrant -> number of workloads on which it was looked at.
        shared: workload -> illnesses that most entrants have there: not one optimizer's fault.
    """

    illnesses: tuple[str, ...]
    found: Mapping[str, Mapping[str, Mapping[str, Finding]]]
    judged: Mapping[str, int]
    shared: Mapping[str, tuple[str, ...]]


def survey(cells: Sequence[Cell]) -> Survey:
    """Diagnose the first judged run of each cell: the one whose layers are always recorded.

    Args:
        cells: of one study; those without a judged run are left out.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.evaluation:
            groups.setdefault(cell.workload.label, []).append(cell)
    found: dict[str, dict[str, dict[str, Finding]]] = {}
    judged: dict[str, int] = {}
    shared: dict[str, tuple[str, ...]] = {}
    for workload, group in groups.items():
        diagnosis = diagnose_workload([cell.evaluation[0] for cell in group])
        if diagnosis.shared and len(group) > 1:
            shared[workload] = diagnosis.shared
        for cell in group:
            label = cell.entrant.label
            judged[label] = judged.get(label, 0) + 1
            mine = found.setdefault(label, {})
            for finding in diagnosis.findings[cell.evaluation[0].key]:
                mine.setdefault(finding.illness, {})[workload] = finding
    present = {illness for mine in found.values() for illness in mine}
    return Survey(tuple(i for i in ILLNESSES if i in present), found, judged, shared)
