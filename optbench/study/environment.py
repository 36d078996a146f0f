"""Description of the environment of a study, for judging its times and repeating it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from optbench import __version__
from optbench.registry import Registry

_DECISIVE = {"blas": "BLAS", "libc": "the C library"}
_DECISIVE_PACKAGES = ("numpy", "numba")
_BLAS_EFFECT = ": decompositions of matrices, and what else calls it, may differ in the last bits"
PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "threadpoolctl", "msgspec")


def describe_environment(registry: Registry) -> dict[str, Any]:
    """Return versions, processor and plugins, without names of machine, user or folders."""
    return {
        "optbench": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "blas": _blas(),
        "libc": " ".join(platform.libc_ver()).strip() or "unknown",
        "cores": os.cpu_count() or 1,
        "packages": {name: _version(name) for name in PACKAGES},
        "plugins": {
            plugin.name: plugin.version or "unversioned"
            for plugin in registry.plugins
            if not plugin.error
        },
    }


def machine_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what differs between two environments and can change the digits of a run.

    The vectors of a processor are not among it, because the bits of a run do not depend on them.

    Args:
        before: What `describe_environment` returned on one machine; it may lack keys.
        after: The same on another one.

    Returns:
        One sentence for each difference; keys that either lacks are not compared.

    Example:
        >>> machine_differences({"libc": "glibc 2.36"}, {"libc": "glibc 2.41"})
        ['the C library is glibc 2.36 on one and glibc 2.41 on the other']
    """
    pairs = [(title, before.get(key), after.get(key)) for key, title in _DECISIVE.items()]
    versions = [each.get("packages", {}) for each in (before, after)]
    pairs += [(name, *(known.get(name) for known in versions)) for name in _DECISIVE_PACKAGES]
    differences = [(title, a, b) for title, a, b in pairs if a and b and a != b]
    return [
        f"{title} is {a} on one and {b} on the other" + (_BLAS_EFFECT if title == "BLAS" else "")
        for title, a, b in differences
    ]


def _blas() -> str:
    """Return name, version and kernel of the library behind NumPy's products.

    SciPy comes with a library of its own, which is loaded in some processes only.
    """
    from threadpoolctl import threadpool_info

    loaded = [each for each in threadpool_info() if each["user_api"] == "blas"]
    libraries = [each for each in loaded if "numpy" in each["filepath"]] or loaded
    parts = ("internal_api", "version", "architecture")
    names = [" ".join(str(each.get(part, "")) for part in parts).strip() for each in libraries]
    return ", ".join(sorted(set(names))) or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    if sys.platform == "linux":
        try:
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
