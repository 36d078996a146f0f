"""Compilation happens once on a machine, says so, and needs no writable folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.long  # each process compiles from nothing

SCRIPT = """
import logging
import sys
import optbench
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.engine.training import prepare
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
entrant, workload = make_entrant("momentum"), make_workload(dataset="iris", epochs=1)
prepare([make_spec(entrant=entrant, workload=workload)])
print(optbench.train("momentum", dataset="iris", epochs=1).loop)
"""


def output_of(cache: str, script: str = SCRIPT, **variables: str) -> str:
    environment = {**os.environ, "OPTBENCH_CACHE": cache, **variables}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("numba_folder", [False, True])
def test_a_rule_is_compiled_once_and_says_so(numba_folder: Any, tmp_path: Path) -> None:
    """The first process names what it compiles; the second finds it and compiles nothing."""
    variables = {"NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "") if numba_folder else ""}
    first, second = (output_of(str(tmp_path), **variables) for _ in range(2))
    assert "compiling momentum (float32)" in first
    assert second == "compiled\n"


@pytest.mark.parametrize("folder", ["/proc/no/such/folder"])
def test_a_cache_that_cannot_be_written_is_no_error(folder: Any) -> None:
    """It compiles in memory, and trains."""
    assert output_of(folder).endswith("compiled\n")


def test_damaged_machine_code_is_compiled_again(tmp_path: Path) -> None:
    """A file that a crash of the machine cut short costs time, once; it is complete afterwards."""
    output_of(str(tmp_path), NUMBA_CACHE_DIR="")
    whole = sizes(tmp_path / "rules")
    assert {suffix for suffix, _ in whole} == {".py", ".nbc"}
    for path in tmp_path.glob("rules/**/*.*"):
        path.write_bytes(path.read_bytes()[:-40])
    assert output_of(str(tmp_path), NUMBA_CACHE_DIR="").endswith("compiled\n")
    assert sizes(tmp_path / "rules") == whole


def sizes(folder: Path) -> list[tuple[str, int]]:
    """Suffix and size of each file; Numba may put the time of the source into its name."""
    return sorted((p.suffix, p.stat().st_size) for p in folder.rglob("*.*"))


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, resource.RLIM_INFINITY))
"""


def test_a_full_disk_keeps_nobody_from_training(tmp_path: Path) -> None:
    """The machine code stays in memory, and half of it is not left on disk."""
    pytest.importorskip("resource", reason="resource is missing: files cannot be limited")
    out = output_of(str(tmp_path), FULL.format(room=4096) + SCRIPT, NUMBA_CACHE_DIR="")
    assert out.endswith("compiled\n")
    assert not [path.name for path in tmp_path.rglob("*") if path.suffix in (".nbc", ".part")]


def test_damage_on_a_full_disk_keeps_nobody_from_training(tmp_path: Path) -> None:
    """Machine code that was cut short, and no room to write it again."""
    pytest.importorskip("resource", reason="resource is missing: files cannot be limited")
    output_of(str(tmp_path), NUMBA_CACHE_DIR="")
    for path in (tmp_path / "rules/__pycache__").glob("*.nbc"):
        path.write_bytes(path.read_bytes()[:-40])
    out = output_of(str(tmp_path), FULL.format(room=0) + SCRIPT, NUMBA_CACHE_DIR="")
    assert out.endswith("compiled\n")


def test_who_compiles_trains_to_the_same_bits_as_who_loads(tmp_path: Path) -> None:
    """Of what a function calls there is one copy, its own, whatever else the process has met."""
    train = (
        "run = optbench.train('sgd[lr=0.1]', dataset='digits', hidden=(32, 32), epochs=3)\n"
        "print(run.params_hash)\n"
    )
    folder = str(tmp_path / "numba")
    compiles, loads = (
        output_of(str(tmp_path), f"import optbench\n{train}", NUMBA_CACHE_DIR=folder)
        for _ in range(2)
    )
    assert compiles == loads != ""
