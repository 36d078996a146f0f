"""Packages that no plain ``pytest`` needs: the tests that need them are long."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import pytest

EXTRAS = {
    "distributed": "cluster",
    "furo": "docs",
    "importlinter": "lint",
    "pyarrow": "parquet",
    "selenium": "browser",
}
"""Package -> the extra that installs it; every other one belongs to ``oracles``."""


def need(module: str) -> Any:
    """Import a module, or give the test up with the same line for every test that needs it."""
    package = module.partition(".")[0]
    try:
        pytest.importorskip(package)
    except pytest.skip.Exception:
        give_up(f"{package} is missing: pip install '.[{EXTRAS.get(package, 'oracles')}]'")
    return pytest.importorskip(module)


def give_up(reason: str) -> NoReturn:
    """Skip the test; fail it where CI is set, so that there nothing is left out in silence."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
