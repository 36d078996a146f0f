"""Diagnosis of all evaluation runs of a study, which the page and ``optbench inspect`` show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optbench.engine.health import last_health
from optbench.inspection.diagnosis import ILLNESSES, LAYER_ILLNESSES, Finding, diagnose_workload
from optbench.records import Cell, RunResult, Status, pool_replicates
from optbench.records.stored_curves import load_curves
from optbench.support.text import range_text


@dataclass(frozen=True)
class Case:
    """The evaluation runs of one entrant on one workload.

    Attributes:
        entrant: Label of the entrant.
        workload: Label of the workload.
        runs: Number of runs.
        with_health: Number of runs with layer health, in which illnesses of the layers can be seen.
        findings: Key of the run and finding, for each illness of each run.
    """

    entrant: str
    workload: str
    runs: int
    with_health: int
    findings: tuple[tuple[str, Finding], ...]

    def count(self, illness: str) -> int:
        """Return the number of runs with an illness."""
        return sum(finding.illness == illness for _, finding in self.findings)

    def seen(self, illness: str) -> int:
        """Return the number of runs in which the illness could be seen."""
        return self.with_health if illness in LAYER_ILLNESSES else self.runs

    def __str__(self) -> str:
        counts = Counter(finding.illness for _, finding in self.findings)
        texts = [f"{i} ({counts[i]} of {self.seen(i)})" for i in ILLNESSES if counts[i]]
        return ", ".join(texts) or "no problem found"


@dataclass(frozen=True)
class Survey:
    """Illnesses found in a study.

    Attributes:
        illnesses: Illnesses of at least one run, causes before effects.
        cases: One for each workload and entrant with evaluation runs.
        shared: Workload -> illness of most runs that could show it -> the number of these runs in
            words. They are not attributed to an optimizer.
        verdicts: One sentence for each workload.
        blind: Entrants of which no run on some workload has layer health, so that illnesses of the
            layers cannot be detected there.
        evaluations: Fewest and most evaluations of a finished run after its start; (0, 0) without
            one.
    """

    illnesses: tuple[str, ...]
    cases: tuple[Case, ...]
    shared: Mapping[str, Mapping[str, str]]
    verdicts: Mapping[str, str]
    blind: tuple[str, ...]
    evaluations: tuple[int, int] = (0, 0)

    @property
    def blind_spot(self) -> str:
        """One sentence on what the evaluations do not show; empty without a finished run."""
        least, most = self.evaluations
        if not most:
            return ""
        return (
            f"The loss is known at the evaluations only ({range_text(least, most)} of a run; short "
            "runs have few): a jump between two of them is not seen."
        )

    def totals(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Return entrant -> illness -> number of runs with it, and of those that could show it."""
        sums: dict[str, dict[str, tuple[int, int]]] = {}
        for case in self.cases:
            mine = sums.setdefault(case.entrant, dict.fromkeys(self.illnesses, (0, 0)))
            for illness, (ill, seen) in mine.items():
                mine[illness] = (ill + case.count(illness), seen + case.seen(illness))
        return sums


def survey(cells: Sequence[Cell]) -> Survey:
    """Diagnose every evaluation run of a study.

    Args:
        cells: Cells of one study. Cells without an evaluation run are ignored.

    Returns:
        The illnesses of all entrants.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in pool_replicates(cells):
        if cell.evaluation:
            groups.setdefault(cell.workload.label, []).append(cell)
    cases: list[Case] = []
    shared: dict[str, Mapping[str, str]] = {}
    verdicts: dict[str, str] = {}
    for workload, group in groups.items():
        runs = [_in_memory(cell.evaluation) for cell in group]
        diagnosis = diagnose_workload([run for mine in runs for run in mine])
        verdicts[workload] = diagnosis.verdict
        if diagnosis.shared and len(group) > 1:
            shared[workload] = diagnosis.shared
        cases += [
            Case(
                cell.entrant.label,
                workload,
                len(mine),
                sum(bool(last_health(run.curve)) for run in mine),
                tuple((run.key, found) for run in mine for found in diagnosis.findings[run.key]),
            )
            for cell, mine in zip(group, runs, strict=True)
        ]
    present = {finding.illness for case in cases for _, finding in case.findings}
    blind = {case.entrant for case in cases if not case.with_health}
    illnesses = tuple(i for i in ILLNESSES if i in present)
    counts = [
        run.curve.rows - 1
        for group in groups.values()
        for cell in group
        for run in cell.evaluation
        if run.status is Status.OK
    ]
    seen = (min(counts), max(counts)) if counts else (0, 0)
    return Survey(illnesses, tuple(cases), shared, verdicts, tuple(sorted(blind)), seen)


def _in_memory(runs: Sequence[RunResult]) -> list[RunResult]:
    """Return runs with their curves loaded, since a diagnosis reads each curve repeatedly."""
    curves = load_curves([run.curve for run in runs])
    return [replace(run, curve=curve) for run, curve in zip(runs, curves, strict=True)]
