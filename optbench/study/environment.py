"""Description of the environment of a study, for judging its times and repeating it."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from optbench import __version__
from optbench.registry import Registry

PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "threadpoolctl", "msgspec")


def describe_environment(registry: Registry) -> dict[str, Any]:
    """Return versions, processor and plugins, without names of machine, user or folders."""
    return {
        "optbench": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "packages": {name: _version(name) for name in PACKAGES},
        "plugins": {
            plugin.name: plugin.version or "unversioned"
            for plugin in registry.plugins
            if not plugin.error
        },
    }


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
