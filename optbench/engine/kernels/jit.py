"""How everything in this folder is compiled: without the GIL, cached on disk where possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import binding

# A fused rule reads and writes theta, grad and every slot: LLVM gives up on vectorising a loop with
# more than 8 comparisons of address ranges, which three slots already need.
binding.set_option("optbench", "--runtime-memory-check-threshold=128")

OPTIONS: dict[str, Any] = {
    "nogil": True,
    # C's division: a check for zero in every element would keep the loop from being vectorised.
    "error_model": "numpy",
    # a * b + c in one instruction, and sums in any order; NaN and infinity keep their meaning.
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}


def jit(function: Callable[..., Any]) -> Any:
    """Compile at the first call for each type of arguments; kept on disk if a folder allows it."""
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # no folder for the cache can be written to
        return numba.njit(**OPTIONS)(function)
