"""Any optax gradient transformation on the optbench leaderboard: ``optax:adam``, ``optax:m:f``.

JAX is imported when one of its optimizers is first used.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

import optbench
from optbench_optax.names import KNOWN, PREFIX

__version__ = "0.1.0"


@optbench.hookimpl
def optbench_list_optimizers() -> dict[str, str]:
    """Return the optimizers of optax and of optax.contrib."""
    return {f"{PREFIX}{name}": known.summary for name, known in KNOWN.items()}


@optbench.hookimpl
def optbench_resolve_optimizer(name: str) -> type[optbench.Stepper] | None:
    """Return the Stepper for ``optax:adam``, ``optax:contrib.muon``, ``optax:module:function``."""
    if not name.startswith(PREFIX):
        return None
    from optbench_optax.adapter import adapt

    return adapt(name)


@optbench.hookimpl
def optbench_adapt_optimizer(
    item: Any, arguments: Mapping[str, Any]
) -> tuple[type[optbench.Stepper], Mapping[str, optbench.Value]] | None:
    """Return the Stepper for a function that makes a transformation, and its arguments' values."""
    if "optax" not in sys.modules or not inspect.isfunction(item):
        return None
    from optbench_optax.adapter import adapt_function

    return adapt_function(item, arguments)
