"""What ails the runs of a stored study, workload by workload."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optbench.records import Cell


def diagnose_study(folder: Path) -> dict[str, Any]:
    """Diagnose the judged runs of a study.

    Raises:
        ConfigError: the folder has no study.
        StoreError: its store cannot be read.
    """
    from optbench.inspection.diagnosis import diagnose_workload
    from optbench.study import load_study

    cells: dict[str, list[Cell]] = {}
    for cell in load_study(folder).cells:
        cells.setdefault(cell.workload.label, []).append(cell)
    rows, verdicts, findings = [], [], []
    for workload, group in cells.items():
        found = diagnose_workload([run for cell in group for run in cell.evaluation])
        verdicts.append(f"{workload}: {found.verdict}")
        for cell in group:
            counts: Counter[str] = Counter()
            for run in cell.evaluation:
                for finding in found.findings[run.key]:
                    counts[finding.illness] += 1
                    findings.append(
                        {
                            "workload": workload,
                            "optimizer": cell.entrant.label,
                            "run": run.key,
                            "illness": finding.illness,
                            "evidence": finding.evidence,
                            "advice": finding.advice,
                        }
                    )
            n = len(cell.evaluation)
            told = ", ".join(f"{illness} ({k} of {n})" for illness, k in counts.items())
            rows.append((workload, cell.entrant.label, told or "well"))
    return {
        "title": f"the study in {folder}",
        "columns": ("workload", "optimizer", "what its judged runs suffer from"),
        "rows": rows,
        "verdict": verdicts,
        "findings": findings,
        "files": [],
    }
