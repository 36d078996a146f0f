"""Where code comes from: the plugin's own files, an installed library, Python, or optbench."""

from __future__ import annotations

import functools
import hashlib
import importlib.machinery
import importlib.metadata
import sys
import sysconfig
from enum import Enum
from pathlib import Path
from typing import Any

MAIN = "__main__"
_PYTHONS = ("frozen", "built-in")
"""Origins of modules that are part of the interpreter."""
HARNESS = frozenset({
    "optbench", "numpy", "scipy", "sklearn", "numba", "llvmlite", "msgspec", "pluggy", "click",
    "cloudpickle", "jinja2", "lazy_loader", "matplotlib", "platformdirs", "plotly", "pooch", "rich",
    "threadpoolctl", "typing_extensions",
})  # fmt: skip
"""Packages that every run uses. ``environment.json`` has their versions; a change of what optbench
itself computes raises ``ENGINE_VERSION``."""
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = tuple(
    str(Path(sysconfig.get_paths()[name]).resolve()) + "/" for name in ("stdlib", "platstdlib")
)


class Origin(Enum):
    """Where a module comes from.

    Attributes:
        OWN: Files that belong to the plugin: its package, or any file that is not installed.
        UNFILED: A notebook, a prompt, or a script that was started.
        LIBRARY: An installed distribution.
        COMMON: Python's standard library, optbench, and what optbench requires.
    """

    OWN = "own"
    UNFILED = "unfiled"
    LIBRARY = "library"
    COMMON = "common"


def module_origin(name: str, own_packages: frozenset[str] = frozenset()) -> Origin:
    """Return where a module comes from.

    Args:
        name: Full name of the module.
        own_packages: Top-level packages of the plugin, which may be installed.
    """
    top = name.partition(".")[0]
    if top in own_packages and top != MAIN and module_file(name):
        return Origin.OWN
    if top in HARNESS or name in sys.builtin_module_names:
        return Origin.COMMON
    path = module_file(name)
    if name == MAIN or path is None:
        module = sys.modules.get(name)
        from_python = getattr(getattr(module, "__spec__", None), "origin", "") in _PYTHONS
        return Origin.COMMON if from_python or hasattr(module, "__path__") else Origin.UNFILED
    return _file_origin(path, name.count("."))


@functools.lru_cache(maxsize=4096)
def _file_origin(path: Path, depth: int) -> Origin:
    if _INSTALLED.intersection(path.parts):
        return Origin.LIBRARY
    if str(path.resolve()).startswith(_STANDARD):
        return Origin.COMMON
    root = path.parents[min(depth + (path.stem == "__init__"), len(path.parents) - 1)]
    return Origin.LIBRARY if next(root.glob("*.dist-info"), None) else Origin.OWN


def module_file(name: str) -> Path | None:
    """Return the file of a module, without importing it; None if it has none."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Path(file) if file and Path(file).is_file() else None
    folders: list[str] | None = None
    spec = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        try:
            spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:depth]), folders)
        except (ImportError, ValueError):
            return None
        if spec is None:
            return None
        folders = list(spec.submodule_search_locations or ())
    path = Path(spec.origin) if spec and spec.has_location and spec.origin else None
    return path if path and path.is_file() else None


@functools.cache
def library_release(package: str) -> str:
    """Return name and version of the distribution of an installed package, and a hash of its files.

    The hash is that of the package's lines in the RECORD, which has one of every file.
    """
    distribution = _distribution(package)
    if distribution is None:
        return f"{package} {getattr(sys.modules.get(package), '__version__', '')}"
    lines = (distribution.read_text("RECORD") or "").splitlines()
    wanted = (f"{package}/", f"{package}.")
    digest = hashlib.sha256()
    for line in sorted(line for line in lines if line.startswith(wanted) and ".pyc," not in line):
        digest.update(line.encode() + b"\n")
    return f"{distribution.name} {distribution.version} {digest.hexdigest()[:16]}"


def _distribution(package: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        pass  # the distribution has another name than its package
    places = (f"{package}/__init__.py", f"{package}.py")
    for distribution in importlib.metadata.distributions():
        if any(str(file) in places for file in distribution.files or ()):
            return distribution
    return None


def is_interactive(item: object) -> bool:
    """Return whether a class or function cannot be imported from a file by its name.

    That is so in a notebook, in the script that was started, and inside of a function.
    """
    module = sys.modules.get(getattr(item, "__module__", None) or "")
    path = getattr(module, "__file__", None)
    if module is None or module.__name__ == MAIN or not path or not Path(path).is_file():
        return True
    member: Any = module
    for part in str(getattr(item, "__qualname__", "")).split("."):
        member = getattr(member, part, None)
    return member is not item
