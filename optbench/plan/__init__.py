"""From a suite to runs: the cells of a study, and which runs each of them needs next."""

from optbench.plan.cells import CellPlan, StudyPlan, build_plan, plan_replicates
from optbench.plan.ledger import (
    CellRecord,
    StudyRecord,
    TrialRecord,
    decode_study,
    record_cell,
    restore_cell,
)
from optbench.plan.steps import (
    Results,
    Step,
    advance,
    planned_runs,
)

__all__ = [
    "CellPlan",
    "CellRecord",
    "Results",
    "Step",
    "StudyPlan",
    "StudyRecord",
    "TrialRecord",
    "advance",
    "build_plan",
    "decode_study",
    "plan_replicates",
    "planned_runs",
    "record_cell",
    "restore_cell",
]
