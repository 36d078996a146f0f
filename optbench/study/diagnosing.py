"""Diagnosis of the evaluation runs of a study, workload by workload."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from optbench.inspection.diagnosis import diagnose_workload
from optbench.records import Cell, pool_replicates
from optbench.study.study import Study


@dataclass(frozen=True)
class RunFinding:
    """A problem of one run.

    Attributes:
        workload: Label of the workload.
        optimizer: Label of the entrant.
        run: Key of the run.
        illness: Name of the problem.
        evidence: Numbers that indicate it.
        advice: Suggested remedy.
    """

    workload: str
    optimizer: str
    run: str
    illness: str
    evidence: str
    advice: str


@dataclass(frozen=True)
class StudyDiagnosis:
    """Problems of the evaluation runs of a study.

    Attributes:
        findings: One for each illness of each run.
        verdicts: One sentence for each workload, by its label.
        summary: For each workload and optimizer, the problems and the number of runs with each.
    """

    findings: tuple[RunFinding, ...]
    verdicts: dict[str, str]
    summary: tuple[tuple[str, str, str], ...]


def diagnose_study(study: Study) -> StudyDiagnosis:
    """Diagnose the evaluation runs of a study.

    Args:
        study: The study. Layer health is used for runs that recorded it.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in pool_replicates(study.cells):
        groups.setdefault(cell.workload.label, []).append(cell)
    findings: list[RunFinding] = []
    verdicts: dict[str, str] = {}
    summary: list[tuple[str, str, str]] = []
    for workload, cells in groups.items():
        diagnosis = diagnose_workload([run for cell in cells for run in cell.evaluation])
        verdicts[workload] = diagnosis.verdict
        for cell in cells:
            label, n = cell.entrant.label, len(cell.evaluation)
            in_cell = [
                RunFinding(
                    workload, label, run.key, finding.illness, finding.evidence, finding.advice
                )
                for run in cell.evaluation
                for finding in diagnosis.findings[run.key]
            ]
            counts = Counter(finding.illness for finding in in_cell)
            illnesses = ", ".join(f"{illness} ({k} of {n})" for illness, k in counts.items())
            summary.append((workload, label, illnesses or "well"))
            findings += in_cell
    return StudyDiagnosis(tuple(findings), verdicts, tuple(summary))
