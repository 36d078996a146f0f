"""Checks for plugin authors: ``optbench check NAME``, or two lines of pytest.

Each check is a function ``check_<promise>`` of one plugin class, which raises if the promise is
broken. A class declares in ``expected_failures`` the checks that fail on purpose, each with its
reason; it is an error if such a check passes.
"""

from __future__ import annotations

from optbench.conformance import dataset_checks as datasets
from optbench.conformance import initializer_checks as initializers
from optbench.conformance import metadata_checks as metadata
from optbench.conformance import optimizer_checks as optimizers
from optbench.conformance import rule_checks as rules
from optbench.conformance import schedule_checks as schedules
from optbench.conformance import state_checks as states
from optbench.conformance import stepper_checks as steppers
from optbench.conformance import training_checks as training
from optbench.conformance import usage_checks as usages
from optbench.conformance.kit import CHECKS, Check, CheckFailedError, checks_for
from optbench.conformance.likeness import compare_steps
from optbench.conformance.runner import (
    Outcome,
    parametrize_with_checks,
    run_cautions,
    run_check,
    run_checks,
)

_MODULES = (
    metadata,
    optimizers,
    rules,
    steppers,
    training,
    initializers,
    usages,
    states,
    datasets,
    schedules,
)
for _module in _MODULES:
    globals().update({name: item for name, item in vars(_module).items() if name in CHECKS})

__all__ = [
    "CHECKS",
    "Check",
    "CheckFailedError",
    "Outcome",
    "checks_for",
    "compare_steps",
    "parametrize_with_checks",
    "run_cautions",
    "run_check",
    "run_checks",
]
