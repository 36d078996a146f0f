"""How the functions of this folder are compiled: without the GIL, and cached on disk.

It uses private parts of Numba (a compiler pass, the library object, the file cache, ``_nrt``), so
`pyproject.toml` allows only versions that the tests have run with.
"""

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
    """Gives a function its own copies of everything that it calls.

    Without this pass those copies are weak symbols, and the first copy that a process meets serves
    all callers. It may have been compiled for another caller, and round differently. The bits of a
    run would then depend on what its process had compiled or loaded before.
    """

    _name = "own_copies"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Create the library of the function as Numba does, with another last step."""
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library.enable_object_caching()
        optimize = library._optimize_final_module

        def optimize_with_own_copies() -> None:
            for function in library._final_module.functions:
                if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                    function.linkage = Linkage.internal
            optimize()

        library._optimize_final_module = optimize_with_own_copies
        state.library = library
        return False


class _Compiler(CompilerBase):
    """Numba's compiler with `_OwnCopies`."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes, in order."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_OwnCopies, AnnotateTypes)
        passes.finalize()
        return [passes]


def keep_on_disk(compiled: Any, function: Callable[..., Any]) -> None:
    """Let a compiled function load its machine code from disk and save it there, if possible."""
    with contextlib.suppress(RuntimeError):
        compiled._cache = CodeCache(function)


def jit(function: Callable[..., Any]) -> Any:
    """Compile at the first call for each type of arguments, and keep the machine code on disk.

    Arrays are not reference-counted: they belong to the Python caller, which keeps them alive. The
    atomic counting would cost several times a small matrix product. A function that makes arrays
    does not compile this way; it needs `jit_with_allocation`.
    """
    return _compile_lazily(function, reference_counts=False)


def jit_with_allocation(function: Callable[..., Any]) -> Any:
    """Compile like `jit`, for a function that makes arrays of its own."""
    return _compile_lazily(function, reference_counts=True)


def _compile_lazily(function: Callable[..., Any], reference_counts: bool) -> Any:
    options = {**OPTIONS, "_nrt": reference_counts}
    compiled = numba.njit(pipeline_class=_Compiler, **options)(function)
    keep_on_disk(compiled, function)
    return compiled
