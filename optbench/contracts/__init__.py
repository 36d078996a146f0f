"""What a plugin implements: optimizers, initializers, datasets, schedules and landscapes.

Plugins import these names from `optbench`.
"""

from optbench.contracts.dataset import Dataset, DatasetSource, Task
from optbench.contracts.declarations import Hyper, Prior, Value, Values, decay, hyper
from optbench.contracts.initializer import InitContext, Initializer
from optbench.contracts.landscape import Landscape
from optbench.contracts.optimizer import Optimizer, Rule, StepContext, Stepper
from optbench.contracts.plugin import KEBAB, NEEDS, Array, Need, Plugin
from optbench.contracts.schedule import Schedule

__all__ = [
    "KEBAB",
    "NEEDS",
    "Array",
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
    "Rule",
    "Schedule",
    "StepContext",
    "Stepper",
    "Task",
    "Value",
    "Values",
    "decay",
    "hyper",
]
