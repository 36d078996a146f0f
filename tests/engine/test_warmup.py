"""Compilation happens once on a machine, says so, and needs no writable folder."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import optbench
from optbench.engine.specs import make_spec
from optbench.engine.training import prepare
prepare([make_spec("momentum", dataset="iris", epochs=1)], print)
print(optbench.train("momentum", dataset="iris", epochs=1).loop)
"""


def output_of(cache: str, **variables: str) -> str:
    environment = {**os.environ, "OPTBENCH_CACHE": cache, **variables}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("numba_folder", [False, True])
def test_a_rule_is_compiled_once_and_says_so(numba_folder, tmp_path):
    """The first process names what it compiles; the second finds it and compiles nothing."""
    variables = {"NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "") if numba_folder else ""}
    first, second = (output_of(str(tmp_path), **variables) for _ in range(2))
    assert "compiling momentum (float32)" in first
    assert second == "compiled\n"


@pytest.mark.parametrize("folder", ["/proc/no/such/folder"])
def test_a_cache_that_cannot_be_written_is_no_error(folder):
    """It compiles in memory, and trains."""
    assert output_of(folder).endswith("compiled\n")
