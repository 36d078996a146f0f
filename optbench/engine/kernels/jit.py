"""How everything in this folder is compiled: without the GIL, cached on disk where possible."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import binding
from llvmlite.binding import Linkage
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import AnnotateTypes

from optbench.engine.kernels.code_cache import CodeCache

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


@register_pass(mutates_CFG=False, analysis_only=True)
class _OwnCopies(LoweringPass):
    """Gives a function its own copies of all that it calls.

    Else those copies are weak symbols, and whichever of them the process met first serves all: one
    that was compiled for another caller, and rounds otherwise. The bits of a run would depend on
    whether its process had compiled the code or loaded it, and on what it had loaded before.
    """

    _name = "own_copies"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Make the library that Numba fills next, as Numba would, but for its last step."""
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library.enable_object_caching()
        optimize = library._optimize_final_module

        def optimize_alone() -> None:
            for function in library._final_module.functions:
                if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                    function.linkage = Linkage.internal
            optimize()

        library._optimize_final_module = optimize_alone
        state.library = library
        return False


class _Compiler(CompilerBase):
    """Numba's own, with `_OwnCopies`."""

    def define_pipelines(self) -> list[Any]:
        """All passes, in their order."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_OwnCopies, AnnotateTypes)
        passes.finalize()
        return [passes]


def keep_on_disk(compiled: Any, function: Callable[..., Any]) -> None:
    """Let a compiled `function` load its machine code, and keep it, if a folder allows it."""
    with contextlib.suppress(RuntimeError):
        compiled._cache = CodeCache(function)


def jit(function: Callable[..., Any]) -> Any:
    """Compile at the first call for each type of arguments; kept on disk."""
    compiled = numba.njit(pipeline_class=_Compiler, **OPTIONS)(function)
    keep_on_disk(compiled, function)
    return compiled
