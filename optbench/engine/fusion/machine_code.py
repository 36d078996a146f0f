"""Compilation of fused Rules, with their machine code cached on disk."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from optbench.contracts import Rule
from optbench.data.cache import cache_folder
from optbench.engine.fusion.statements import NotFusibleError, translate_update
from optbench.errors import PluginError
from optbench.support.files import write_text

_TEMPLATE = '''"""Made by optbench from the optimizer '{name}'; safe to delete."""

import math

import numpy as np
from numba import types

from optbench.engine.kernels.memory import load, store

dtype = np.{dtype}
REAL = types.{dtype}
SIGNATURE = types.void(
    REAL[::1], REAL[::1], REAL[:, ::1], types.float64[::1], types.float64[::1], types.int64,
    types.int64, types.int64, types.int64, REAL[::1], types.int64, types.boolean
)
# Error model of C: a check for division by zero would keep the loop from being vectorised. Without
# `fastmath`, the numbers are the same on every machine.
OPTIONS = {{"nopython": True, "error_model": "numpy"}}


{source}
'''


@functools.cache
def why_not_fused(rule: type[Rule]) -> str:
    """Return the reason why a Rule cannot be fused, or an empty string if it can."""
    try:
        translate_update(rule)  # type: ignore[arg-type]  # a class is hashable
    except NotFusibleError as reason:
        return str(reason)
    return ""


@functools.cache
def compiled_rule(rule: type[Rule], dtype: str) -> Any:
    """Compile a Rule, or load its machine code from disk.

    Args:
        rule: The Rule.
        dtype: ``"float32"`` or ``"float64"``, of theta, grad and slots.

    Returns:
        A first-class compiled function ``(theta, grad, slots, scalars, h, t, first, rows, columns,
        factors, at, last) -> None``. It updates the rows x columns parameters from index `first`
        on. The gradient of row r is ``factors[at + r] * grad[:columns]``: all parameters are one
        row, and those of a weight are `rows` if the batch is a single example. The scalars of the
        Rule change with the `last` part of the parameters.

    Raises:
        NotFusibleError: The Rule cannot be fused.
        PluginError: The fused function does not compile.
    """
    from numba.core.ccallback import CFunc

    from optbench.engine.kernels.jit import keep_on_disk

    module = _import_text(_module_text(rule, dtype))
    signature = (module.SIGNATURE.args, module.SIGNATURE.return_type)
    compiled = CFunc(module.update, signature, {}, module.OPTIONS)
    keep_on_disk(compiled, module.update)
    try:
        compiled.compile()
    except Exception as cause:
        raise PluginError(f"optimizer '{rule.name}' does not compile: {cause}") from cause
    return compiled


def is_cached(rule: type[Rule], dtype: str) -> bool:
    """Return whether the machine code of a Rule is in the cache on disk.

    Raises:
        NotFusibleError: The Rule cannot be fused.
    """
    name = _module_name(_module_text(rule, dtype))
    return any(_machine_code_folder().glob(f"{name}.*.nbc"))


def _module_text(rule: type[Rule], dtype: str) -> str:
    source = translate_update(rule).render(dtype)  # type: ignore[arg-type]  # a class is hashable
    return _TEMPLATE.format(name=rule.name, dtype=dtype, source=source)


def _machine_code_folder() -> Path:
    """Return the folder where Numba keeps the machine code of modules in the cache folder."""
    folder = cache_folder() / "rules"
    numba_folder = os.environ.get("NUMBA_CACHE_DIR")
    if not numba_folder:
        return folder / "__pycache__"
    from numba.core.caching import _CacheLocator

    subfolder: str = _CacheLocator.get_suitable_cache_subpath(str(folder / "rule.py"))  # type: ignore[no-untyped-call]
    return Path(numba_folder) / subfolder


def _module_name(text: str) -> str:
    return f"rule_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _import_text(text: str) -> ModuleType:
    """Import source from a file named after its content, because Numba's cache is keyed by file.

    Where the cache cannot be written, there is no file, and the machine code stays in memory.
    """
    name = _module_name(text)
    try:
        path = str(_write(cache_folder() / "rules", name, text))
    except OSError:
        path = f"<{name}>"
    module = ModuleType(f"optbench_{name}")
    module.__file__ = path
    sys.modules[module.__name__] = module
    # Not imported from the file: Python would write bytecode next to it and run it unverified.
    exec(compile(text, path, "exec"), module.__dict__)
    return module


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text, concurrent=True)
    return path
