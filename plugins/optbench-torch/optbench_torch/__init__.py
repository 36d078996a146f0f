"""Any PyTorch optimizer class on the optbench leaderboard: ``torch:adamw``, ``torch:pkg.Class``.

PyTorch is imported when one of its optimizers is first used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import optbench
from optbench_torch.names import BUILTIN, PREFIX

__version__ = "0.1.0"


@optbench.hookimpl
def optbench_list_optimizers() -> dict[str, str]:
    """Return the optimizers of torch.optim."""
    return {f"{PREFIX}{name}": known.summary for name, known in BUILTIN.items()}


@optbench.hookimpl
def optbench_resolve_optimizer(name: str) -> type[optbench.Stepper] | None:
    """Return the Stepper for ``torch:<name in torch.optim>`` or ``torch:<module>.<Class>``."""
    if not name.startswith(PREFIX):
        return None
    from optbench_torch.adapter import adapt

    return adapt(name)


@optbench.hookimpl
def optbench_adapt_optimizer(
    item: Any, arguments: Mapping[str, Any]
) -> tuple[type[optbench.Stepper], Mapping[str, optbench.Value]] | None:
    """Return the Stepper for a ``torch.optim.Optimizer`` class, and the values of its arguments."""
    if "torch" not in sys.modules or not isinstance(item, type):
        return None
    from optbench_torch.adapter import adapt_class
    from optbench_torch.finding import is_optimizer

    return adapt_class(item, arguments) if is_optimizer(item) else None
