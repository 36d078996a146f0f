"""optbench: bring an optimizer, get an honest leaderboard, and learn why it won or lost."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optbench.contracts import (
        Array,
        Dataset,
        DatasetSource,
        Hyper,
        InitContext,
        Initializer,
        Landscape,
        Optimizer,
        Rule,
        StepContext,
        Stepper,
        Values,
        hyper,
    )
    from optbench.engine.data import load_dataset
    from optbench.engine.downloads import fetch_files
    from optbench.engine.training import initialize, train
    from optbench.engine.trajectory import trajectory
    from optbench.errors import ConfigError, OptbenchError, PluginError, StoreError
    from optbench.hookspecs import hookimpl
    from optbench.network import Network
    from optbench.records import Curve, RunResult, RunSpec, Status
    from optbench.signatures import read_signature

__version__ = "0.1.0"

__all__ = [
    "Array",
    "ConfigError",
    "Curve",
    "Dataset",
    "DatasetSource",
    "Hyper",
    "InitContext",
    "Initializer",
    "Landscape",
    "Network",
    "OptbenchError",
    "Optimizer",
    "PluginError",
    "Rule",
    "RunResult",
    "RunSpec",
    "Status",
    "StepContext",
    "Stepper",
    "StoreError",
    "Values",
    "fetch_files",
    "hookimpl",
    "hyper",
    "initialize",
    "load_dataset",
    "read_signature",
    "train",
    "trajectory",
]

_HOME = {
    **dict.fromkeys(
        (
            "Array",
            "Dataset",
            "DatasetSource",
            "Hyper",
            "InitContext",
            "Initializer",
            "Landscape",
            "Optimizer",
            "Rule",
            "StepContext",
            "Stepper",
            "Values",
            "hyper",
        ),
        "optbench.contracts",
    ),
    **dict.fromkeys(
        ("ConfigError", "OptbenchError", "PluginError", "StoreError"), "optbench.errors"
    ),
    "hookimpl": "optbench.hookspecs",
    "load_dataset": "optbench.engine.data",
    "fetch_files": "optbench.engine.downloads",
    "trajectory": "optbench.engine.trajectory",
    "train": "optbench.engine.training",
    "initialize": "optbench.engine.training",
    "Network": "optbench.network",
    "read_signature": "optbench.signatures",
    "Curve": "optbench.records",
    "RunResult": "optbench.records",
    "RunSpec": "optbench.records",
    "Status": "optbench.records",
}
"""Where the public face lives; imported at first use, so that the start is fast and quiet."""


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if f"optbench.{name}" in _HOME.values():
        return importlib.import_module(f"optbench.{name}")
    raise AttributeError(f"module 'optbench' has no attribute '{name}'")


def __dir__() -> list[str]:
    """The public face, imported yet or not."""
    return [*__all__, "__version__"]
