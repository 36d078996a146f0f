"""Diagnosis of one evaluation run of each entrant on each workload of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optbench.engine.health import last_health
from optbench.inspection.diagnosis import ILLNESSES, Finding, diagnose_workload
from optbench.records import Cell, RunResult, pool_replicates
from optbench.records.stored_curves import load_curves


@dataclass(frozen=True)
class Survey:
    """Illnesses found in a study.

    Attributes:
        illnesses: Illnesses of at least one entrant, causes before effects.
        found: Findings by entrant, illness and workload.
        judged: Number of diagnosed workloads of each entrant.
        shared: Illnesses that most entrants have on a workload, by workload. They are not
            attributed to an optimizer.
        blind: Entrants with a diagnosed run without layer health, in which illnesses of the layers
            cannot be detected.
    """

    illnesses: tuple[str, ...]
    found: Mapping[str, Mapping[str, Mapping[str, Finding]]]
    judged: Mapping[str, int]
    shared: Mapping[str, tuple[str, ...]]
    blind: tuple[str, ...]


def survey(cells: Sequence[Cell]) -> Survey:
    """Diagnose one evaluation run of each entrant on each workload.

    It is the first one with layer health, or else the first one.

    Args:
        cells: Cells of one study. Cells without an evaluation run are ignored.

    Returns:
        The illnesses of all entrants.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in pool_replicates(cells):
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
    """Return the first run with layer health, or else the first run, with its curve loaded.

    A diagnosis reads the curve repeatedly, so it is loaded once.
    """
    run = next((run for run in runs if last_health(run.curve)), runs[0])
    return replace(run, curve=load_curves([run.curve])[0])
