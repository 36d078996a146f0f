"""The tuned hyperparameters of a study, as values and as code for other libraries."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from optbench.contracts import Optimizer, Value
from optbench.errors import OptbenchError
from optbench.hyperparameters import complete
from optbench.records import typical_choices
from optbench.records.spec import changed
from optbench.study.study import Study


def best_configurations(study: Study) -> list[dict[str, Any]]:
    """Return the configuration that tuning chose for each optimizer on each workload.

    Args:
        study: The study. Of several replicates, the choice with the median rate is taken.

    Returns:
        For each choice ``optimizer`` and ``workload`` (labels), ``hyper`` (values by name),
        ``schedule`` (schedule, warm-up and clipping, where there are any) and ``code`` (library ->
        line), which is empty if the optimizer names no equivalents or is not installed.
    """
    return [
        {
            "optimizer": cell.entrant.label,
            "workload": cell.workload.label,
            "hyper": dict(cell.chosen),
            "schedule": changed(cell.entrant.control),
            "code": _code_of(study, cell.entrant.optimizer, cell.chosen),
        }
        for cell in typical_choices(study.cells)
        if cell.chosen is not None
    ]


def _code_of(study: Study, name: str, values: Mapping[str, Value]) -> dict[str, str]:
    try:
        optimizer = study.registry.optimizer(name)
        return code_lines(optimizer, complete(optimizer, values))
    except OptbenchError:  # the plugin is gone, or has other hyperparameters now
        return {}


def code_lines(optimizer: Optimizer, values: Mapping[str, Value]) -> dict[str, str]:
    """Return the line that makes an optimizer in each library that has the same method.

    Args:
        optimizer: Class with ``equivalents``.
        values: A value for every hyperparameter.

    Returns:
        Library -> line of code; without those that cannot express one of the values.

    Example:
        >>> from optbench import Rule, hyper
        >>> class Descent(Rule):
        ...     equivalents = {"library": "library.Descent(params, lr={lr})"}
        ...     lr: float = hyper(0.1)
        ...     sign: bool = hyper(False)
        >>> code_lines(Descent, {"lr": 0.02, "sign": False})
        {'library': 'library.Descent(params, lr=0.02)'}
        >>> code_lines(Descent, {"lr": 0.02, "sign": True})
        {}
    """
    given = {
        name for name, declared in optimizer.hypers().items() if values[name] != declared.default
    }
    texts = {name: repr(value) for name, value in values.items()}
    return {
        library: template.format(**texts)
        for library, template in optimizer.equivalents.items()
        if given <= {field for _, field, _, _ in string.Formatter().parse(template)}
    }
