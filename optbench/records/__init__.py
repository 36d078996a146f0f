"""Frozen records: runs, their results and curves, and the parts of a study."""

from optbench.records.cell import Cell, Trial, pool_replicates, typical_cell, typical_choices
from optbench.records.criteria import BOARD_NAMES, REGIONS, USUAL_REGIONS, BoardName, Criteria
from optbench.records.curve import CURVE_COLUMNS, Curve
from optbench.records.look import ALPHA, Look
from optbench.records.protocol import (
    EVALUATION_SEED,
    MAX_REPLICATES,
    MAX_RETEST_SEEDS,
    MAX_SEEDS,
    TUNING_SEED,
    Entrant,
    StudyProtocol,
    is_evaluation,
)
from optbench.records.result import RunOutcome, RunResult, SpecSource, Status, StoredRun
from optbench.records.spec import (
    DTYPES,
    ENGINE_VERSION,
    REGIMES,
    Health,
    Regime,
    RunSpec,
    StepControl,
    Workload,
    changed,
    engine_version,
    spell,
    spell_value,
)

__all__ = [
    "ALPHA",
    "BOARD_NAMES",
    "CURVE_COLUMNS",
    "DTYPES",
    "ENGINE_VERSION",
    "EVALUATION_SEED",
    "MAX_REPLICATES",
    "MAX_RETEST_SEEDS",
    "MAX_SEEDS",
    "REGIMES",
    "REGIONS",
    "TUNING_SEED",
    "USUAL_REGIONS",
    "BoardName",
    "Cell",
    "Criteria",
    "Curve",
    "Entrant",
    "Health",
    "Look",
    "Regime",
    "RunOutcome",
    "RunResult",
    "RunSpec",
    "SpecSource",
    "Status",
    "StepControl",
    "StoredRun",
    "StudyProtocol",
    "Trial",
    "Workload",
    "changed",
    "engine_version",
    "is_evaluation",
    "pool_replicates",
    "spell",
    "spell_value",
    "typical_cell",
    "typical_choices",
]
