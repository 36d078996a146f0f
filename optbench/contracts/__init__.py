"""What a plugin implements, from optimizers to sections of reports.

Plugins import these names from `optbench`.
"""

from optbench.contracts.dataset import (
    CautionKind,
    Dataset,
    DatasetSource,
    Task,
    family_of,
    subset_of,
)
from optbench.contracts.declarations import Hyper, Prior, Value, Values, decay, hyper
from optbench.contracts.initializer import InitContext, Initializer
from optbench.contracts.landscape import Landscape
from optbench.contracts.optimizer import Optimizer, Rule, StepContext, Stepper
from optbench.contracts.plugin import KEBAB, NEEDS, Array, Configurable, Need, Plugin, rate_of
from optbench.contracts.report_section import ReportSection
from optbench.contracts.schedule import Schedule

__all__ = [
    "KEBAB",
    "NEEDS",
    "Array",
    "CautionKind",
    "Configurable",
    "Dataset",
    "DatasetSource",
    "Hyper",
    "InitContext",
    "Initializer",
    "Landscape",
    "Need",
    "Optimizer",
    "Plugin",
    "Prior",
    "ReportSection",
    "Rule",
    "Schedule",
    "StepContext",
    "Stepper",
    "Task",
    "Value",
    "Values",
    "decay",
    "family_of",
    "hyper",
    "rate_of",
    "subset_of",
]
