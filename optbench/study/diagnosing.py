"""Diagnosis of the evaluation runs of a study, workload by workload."""

from __future__ import annotations

from dataclasses import dataclass

from optbench.inspection.survey import survey
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
        summary: For each workload and optimizer, the problems and the number of runs with each, of
            those that could show it.
        blind_spot: What the evaluations along the runs do not show.
    """

    findings: tuple[RunFinding, ...]
    verdicts: dict[str, str]
    summary: tuple[tuple[str, str, str], ...]
    blind_spot: str = ""


def diagnose_study(study: Study) -> StudyDiagnosis:
    """Diagnose the evaluation runs of a study, as the page of its report does.

    Args:
        study: The study. Layer health is used for runs that recorded it.
    """
    results = survey(study.cells)
    findings = tuple(
        RunFinding(case.workload, case.entrant, run, f.illness, f.evidence, f.advice)
        for case in results.cases
        for run, f in case.findings
    )
    summary = tuple((case.workload, case.entrant, str(case)) for case in results.cases)
    return StudyDiagnosis(findings, dict(results.verdicts), summary, results.blind_spot)
