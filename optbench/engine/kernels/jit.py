"""How everything in this folder is compiled: without the GIL, cached on disk where possible."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import binding
from numba.core.caching import FunctionCache

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


class _MachineCode(FunctionCache):
    """Numba's files of compiled code, where what goes wrong with a file costs time alone."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was kept; None, so that it is compiled anew, where that is damaged."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep it, unless the disk is full or what lies there cannot be mended."""
        with contextlib.suppress(Exception):
            super().save_overload(sig, data)


def keep_on_disk(compiled: Any, function: Callable[..., Any]) -> None:
    """Let a compiled `function` load its machine code, and keep it, if a folder allows it."""
    with contextlib.suppress(RuntimeError):
        compiled._cache = _MachineCode(function)


def jit(function: Callable[..., Any]) -> Any:
    """Compile at the first call for each type of arguments; kept on disk."""
    compiled = numba.njit(**OPTIONS)(function)
    keep_on_disk(compiled, function)
    return compiled
