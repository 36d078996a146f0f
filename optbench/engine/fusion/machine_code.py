"""Fused Rules as machine code, kept on disk: a Rule is compiled once on a machine."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from optbench.contracts import Rule
from optbench.data.cache import cache_folder
from optbench.engine.fusion.statements import NotFusibleError, fuse
from optbench.errors import PluginError
from optbench.support.files import write_text

_TEMPLATE = '''"""Made by optbench from the optimizer '{name}'; safe to delete."""

import math

import numpy as np
from numba import types

dtype = np.{dtype}
REAL = types.{dtype}
SIGNATURE = types.void(
    REAL[::1], REAL[::1], REAL[:, ::1], types.float64[::1], types.float64[::1], types.int64
)
# Error model of C: a check for division by zero would keep the loop from being vectorised.
OPTIONS = {{"nopython": True, "error_model": "numpy", "fastmath": {{"contract"}}}}


{source}
'''


@functools.cache
def why_not_fused(rule: type[Rule]) -> str:
    """Empty if the Rule can be fused, else the reason."""
    try:
        fuse(rule, "float64")
    except NotFusibleError as reason:
        return str(reason)
    return ""


@functools.cache
def compiled_rule(rule: type[Rule], dtype: str) -> Any:
    """The Rule as a first-class compiled function ``(theta, grad, slots, scalars, h, t) -> None``.

    Args:
        rule: the Rule.
        dtype: ``"float32"`` or ``"float64"``, of theta, grad and slots.

    Raises:
        NotFusibleError: the Rule cannot be fused.
        PluginError: what was fused does not compile.
    """
    from numba.core.ccallback import CFunc

    from optbench.engine.kernels.jit import keep_on_disk

    text = _TEMPLATE.format(name=rule.name, dtype=dtype, source=fuse(rule, dtype))
    module = _module(text)
    signature = (module.SIGNATURE.args, module.SIGNATURE.return_type)
    compiled = CFunc(module.update, signature, {}, module.OPTIONS)
    keep_on_disk(compiled, module.update)
    try:
        compiled.compile()
    except Exception as cause:
        raise PluginError(f"optimizer '{rule.name}' does not compile: {cause}") from cause
    return compiled


def is_cached(rule: type[Rule], dtype: str) -> bool:
    """Whether the machine code of this Rule lies on disk already."""
    text = _TEMPLATE.format(name=rule.name, dtype=dtype, source=fuse(rule, dtype))
    return any(_machine_code_folder().glob(f"{_name(text)}.*.nbi"))


def _machine_code_folder() -> Path:
    """Where Numba keeps what it compiled from the files of the cache folder."""
    folder = cache_folder() / "rules"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if not chosen:
        return folder / "__pycache__"
    from numba.core.caching import _CacheLocator

    place: str = _CacheLocator.get_suitable_cache_subpath(str(folder / "rule.py"))  # type: ignore[no-untyped-call]
    return Path(chosen) / place


def _name(text: str) -> str:
    return f"rule_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _module(text: str) -> ModuleType:
    """Import the text from a file named by its content, since Numba's cache goes by file."""
    name = _name(text)
    try:
        path = _write(cache_folder() / "rules", name, text)
    except OSError:
        path = _write(Path(tempfile.mkdtemp(prefix="optbench-")), name, text)
    spec = importlib.util.spec_from_file_location(f"optbench_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    if not path.is_file() or path.read_text() != text:
        write_text(path, text, alone=False)
    return path
