"""How the functions of this folder are compiled: without the GIL, and cached on disk.

It uses private parts of Numba (a compiler pass, the library object, the file cache, ``_nrt``), so
`pyproject.toml` allows only versions that the tests have run with.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numba
from llvmlite import binding
from llvmlite.binding import Linkage
from numba.core.ccallback import CFunc
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import AnnotateTypes

from optbench.engine.kernels.code_cache import CodeCache

# A fused rule reads and writes theta, grad and every slot: LLVM gives up on vectorising a loop with
# more than 8 comparisons of address ranges, which three slots already need.
binding.set_option("optbench", "--runtime-memory-check-threshold=128")


def _import_without_blas() -> None:
    """Import the part of Numba that would import SciPy's BLAS, which nothing here calls.

    That takes a quarter of the start of a worker. Compiled products of NumPy's matrices still find
    it, because Numba imports it again where one is compiled.
    """
    blas = "scipy.linalg.cython_blas"
    if blas in sys.modules or "numba.np.arraymath" in sys.modules:
        return
    sys.modules[blas] = None  # type: ignore[assignment]  # as documented: the import fails
    try:
        arraymath: Any = importlib.import_module("numba.np.arraymath")
        arraymath._HAVE_BLAS = True
    finally:
        del sys.modules[blas]


_import_without_blas()

OPTIONS: dict[str, Any] = {
    "nogil": True,
    # C's division: a check for zero in every element would keep the loop from being vectorised.
    "error_model": "numpy",
    # No `fastmath`: LLVM would choose the order of a sum and the places of fused multiply-adds by
    # the vectors of this machine, and the bits of a run would differ on another one. Where one
    # instruction should compute a * b + c, the source says `fma`.
}
PART_OPTIONS: dict[str, Any] = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINED_OPTIONS: dict[str, Any] = {**OPTIONS, "forceinline": True}


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


class _WithoutEnvironments:
    """Numba's code generator for functions that are never executed, and have no environment."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: object) -> None:
        """Do nothing: the function has no address to keep an environment at."""


@register_pass(mutates_CFG=False, analysis_only=True)
class _AsSource(LoweringPass):
    """Leaves a function as it was translated: optimized only inside the functions that call it.

    Numba would optimize it, make machine code of it, and do the same again in each of its callers.
    """

    _name = "as_source"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Create the library of the function, without the steps that only execution needs."""
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)

        def finish() -> None:
            library._finalize_dynamic_globals()
            library._finalized = True

        def no_address(name: str) -> int:
            library._ensure_finalized()
            return 0

        library._optimize_final_module = lambda: None
        library._finalize_final_module = finish
        library.get_pointer_to_function = no_address
        library._codegen = _WithoutEnvironments(library._codegen)
        state.library = library
        return False


class _PartCompiler(CompilerBase):
    """Numba's compiler with `_AsSource`."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes, in order."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_AsSource, AnnotateTypes)
        passes.finalize()
        return [passes]


class _Compiler(CompilerBase):
    """Numba's compiler with `_OwnCopies`."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes, in order."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_OwnCopies, AnnotateTypes)
        passes.finalize()
        return [passes]


Function = Callable[..., Any]


def is_on_disk(function: Function) -> bool:
    """Return whether machine code of a function, for some types of arguments, is on disk."""
    with contextlib.suppress(RuntimeError):
        return CodeCache(function).has_files()
    return False


def keep_on_disk(compiled: Any, function: Function) -> None:
    """Let a compiled function load its machine code from disk and save it there, if possible."""
    with contextlib.suppress(RuntimeError):
        compiled._cache = CodeCache(function)


def jit(function: Function) -> Any:
    """Compile at the first call for each type of arguments, and keep the machine code on disk.

    Arrays are not reference-counted: they belong to the Python caller, which keeps them alive. The
    atomic counting would cost several times a small matrix product. A function that makes arrays
    does not compile this way; it needs `jit_with_allocation`.
    """
    return _compile_lazily(function, reference_counts=False)


def jit_with_allocation(function: Function) -> Any:
    """Compile like `jit`, for a function that makes arrays of its own."""
    return _compile_lazily(function, reference_counts=True)


def compile_pointer(function: Function, arguments: Sequence[object], result: object) -> CFunc:
    """Compile a function that others receive as an argument, or load its machine code from disk.

    Args:
        function: The function in Python.
        arguments: An example of each argument, from which its type is taken.
        result: An example of the result; None if it returns nothing.

    Returns:
        A first-class compiled function, which Python cannot call.
    """
    signature = (tuple(map(numba.typeof, arguments)), numba.typeof(result))
    compiler: Any = _Compiler
    compiled = CFunc(function, signature, {}, {**OPTIONS, "_nrt": False}, compiler)
    keep_on_disk(compiled, function)
    compiled.compile()
    return compiled


def compile_entry(function: Function, arguments: Sequence[object]) -> Function:
    """Compile a function for calls from Python, or load its machine code from disk.

    A call of what `jit` returns looks at the type of every argument first, which takes as long as
    training a small network for 20 updates. This one does not.

    Args:
        function: The function in Python.
        arguments: An example of each argument, from which its type is taken.

    Returns:
        A function for arguments of exactly these types.
    """
    compiled = jit(function)
    entry: Function = compiled.compile(tuple(map(numba.typeof, arguments)))
    return entry


def part(function: Function) -> Any:
    """Compile a function that only other compiled functions call.

    It has no machine code of its own, which makes the first compilation several times as fast.
    """
    options = {**PART_OPTIONS, "_nrt": False}
    return numba.njit(pipeline_class=_PartCompiler, **options)(function)


def inlined_part(function: Function) -> Any:
    """Compile like `part`, for a body so long that LLVM would call it in loops that vectorise."""
    options = {**PART_OPTIONS, "_nrt": False, "forceinline": True}
    return numba.njit(pipeline_class=_PartCompiler, **options)(function)


def part_with_allocation(function: Function) -> Any:
    """Compile like `part`, for a function that makes arrays of its own."""
    options = {**PART_OPTIONS, "_nrt": True}
    return numba.njit(pipeline_class=_PartCompiler, **options)(function)


def _compile_lazily(function: Function, reference_counts: bool) -> Any:
    options = {**OPTIONS, "_nrt": reference_counts}
    compiled = numba.njit(pipeline_class=_Compiler, **options)(function)
    keep_on_disk(compiled, function)
    return compiled
