"""What ails whom: the diagnosis of one judged run of every entrant on every workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optbench.engine.health import last_health
from optbench.inspection.diagnosis import ILLNESSES, Finding, diagnose_workload
from optbench.records import Cell, RunResult
from optbench.records.stored_curves import load_curves


@dataclass(frozen=True)
class Survey:
    """Illnesses over a study.

    Attributes:
        illnesses: those that someone has, causes before effects.
        found: entrant -> illness -> workload -> its finding there.
        judged: entrant -> number of workloads on which it was looked at.
        shared: workload -> illnesses that most entrants have there: not one optimizer's fault.
        blind: entrants some of whose runs were recorded without their layers: what ails those
            cannot be seen.
    """

    illnesses: tuple[str, ...]
    found: Mapping[str, Mapping[str, Mapping[str, Finding]]]
    judged: Mapping[str, int]
    shared: Mapping[str, tuple[str, ...]]
    blind: tuple[str, ...]


def survey(cells: Sequence[Cell]) -> Survey:
    """Diagnose one judged run of each cell: the first whose layers are recorded, if there is one.

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
    blind: set[str] = set()
    for workload, group in groups.items():
        runs = {cell.entrant.label: _best_known(cell.evaluation) for cell in group}
        blind |= {label for label, run in runs.items() if not last_health(run.curve)}
        diagnosis = diagnose_workload(list(runs.values()))
        if diagnosis.shared and len(group) > 1:
            shared[workload] = diagnosis.shared
        for label, run in runs.items():
            judged[label] = judged.get(label, 0) + 1
            mine = found.setdefault(label, {})
            for finding in diagnosis.findings[run.key]:
                mine.setdefault(finding.illness, {})[workload] = finding
    present = {illness for mine in found.values() for illness in mine}
    illnesses = tuple(i for i in ILLNESSES if i in present)
    return Survey(illnesses, found, judged, shared, tuple(sorted(blind)))


def _best_known(runs: Sequence[RunResult]) -> RunResult:
    """The first run whose layers are recorded, its curve at hand: a diagnosis reads it often."""
    run = next((run for run in runs if last_health(run.curve)), runs[0])
    return replace(run, curve=load_curves([run.curve])[0])
