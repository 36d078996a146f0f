"""Loading and compilation ahead of time, logged if it takes seconds."""

from __future__ import annotations

import functools
import logging

from optbench.contracts import Optimizer, Rule
from optbench.data.cache import cache_folder, describe_unwritable
from optbench.engine.fusion.machine_code import compiled_rule, is_cached
from optbench.engine.kernels import jit, loop, propagation
from optbench.engine.loops.network_code import course_code, evaluation_code, gradient_code

_log = logging.getLogger(__name__)


def warm_up(optimizer: Optimizer, fused: bool, dtype: str) -> None:
    """Load or compile the code for runs of an optimizer, once per optimizer.

    Args:
        optimizer: The optimizer.
        fused: Whether the optimizer trains in the compiled loop.
        dtype: ``"float32"`` or ``"float64"``.
    """
    if not fused or not issubclass(optimizer, Rule):
        _announce(propagation.gradient.py_func, dtype)
        gradient_code(dtype)
        evaluation_code(dtype)
        return
    if not is_cached(optimizer, dtype):
        often = "at every start" if _warn_of_cache() else "once on this machine"
        _log.info("compiling %s (%s), %s", optimizer.name, dtype, often)
    rule = compiled_rule(optimizer, dtype)  # type: ignore[arg-type]  # a class is hashable
    _announce(loop.advance, dtype)
    course_code(dtype, rule)


@functools.cache
def _warn_of_cache() -> bool:
    """Return whether the cache folder cannot be written, and warn of it at the first call."""
    folder = cache_folder()
    reason = describe_unwritable(folder)
    if reason:
        _log.warning(
            "nothing can be kept in %s (%s): machine code is compiled at every start; "
            "set OPTBENCH_CACHE to a folder that can be written", folder, reason,
        )  # fmt: skip
    return bool(reason)


_LOADED: set[tuple[object, str]] = set()


def _announce(function: jit.Function, dtype: str) -> None:
    """Log, once, that the training loop is about to be compiled, unless it is on disk."""
    if (function, dtype) not in _LOADED and not jit.is_on_disk(function):
        _log.info("compiling the training loop (%s), once on this machine: about 15 s", dtype)
    _LOADED.add((function, dtype))
