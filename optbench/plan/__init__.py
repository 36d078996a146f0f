"""From a suite to runs, keyed by content: which configurations are trained, and what is next."""

from optbench.plan.cells import CellPlan, StudyPlan, build_plan, make_entrant
from optbench.plan.ledger import CellRecord, StudyRecord, TrialRecord, record_cell, restore_cell
from optbench.plan.steps import (
    Edges,
    Results,
    Step,
    Tuning,
    advance,
    cells_of,
    next_runs,
    planned_runs,
)

__all__ = [
    "CellPlan",
    "CellRecord",
    "Edges",
    "Results",
    "Step",
    "StudyPlan",
    "StudyRecord",
    "TrialRecord",
    "Tuning",
    "advance",
    "build_plan",
    "cells_of",
    "make_entrant",
    "next_runs",
    "planned_runs",
    "record_cell",
    "restore_cell",
]
