"""A low limit on memory: one line that names it, within seconds, and never a hang."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE

LIMITED = """
import resource, sys
limit = getattr(resource, sys.argv[1])
resource.setrlimit(limit, (int(sys.argv[2]), int(sys.argv[2])))
sys.argv = ["optbench", *sys.argv[3:]]
from optbench.__main__ import main
main()
"""


@pytest.mark.parametrize("command", [["run", "smoke"], ["sweep", "-o", "sgd"], ["inspect"]])
@pytest.mark.parametrize("megabytes", [200, 400])
def test_too_little_address_space_is_one_line(
    megabytes: int, command: list[str], tmp_path: Path
) -> None:
    """Nothing is imported, loaded or started that would fail or hang; the limit is named."""
    done = run_limited("RLIMIT_AS", megabytes * 10**6, command, tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: this process may use {megabytes} MB of address space, and training needs at least "
        "682 MB; raise the limit (ulimit -v)"
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["run", "smoke"], ["list", "optimizers"]])
def test_no_address_space_even_for_the_libraries_is_one_line(
    command: list[str], tmp_path: Path
) -> None:
    """They are not loaded: each would print many lines of its own."""
    done = run_limited("RLIMIT_AS", 100 * 10**6, command, tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: this process may use 100 MB of address space")


@pytest.mark.parametrize(
    ("megabytes", "who", "least"), [(10, "optbench", "67.1"), (200, "training", "367")]
)
def test_too_little_data_memory_is_one_line(
    megabytes: int, who: str, least: str, tmp_path: Path
) -> None:
    """``ulimit -d`` limits what is allocated; it is checked like ``ulimit -v``."""
    done = run_limited("RLIMIT_DATA", megabytes * 10**6, ["run", "smoke"], tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: this process may use {megabytes} MB of data memory, and {who} needs at least "
        f"{least} MB; raise the limit (ulimit -d)"
    ]
    assert list(tmp_path.iterdir()) == []


def test_too_few_files_is_one_line_with_the_next_step(tmp_path: Path) -> None:
    """Worker processes need pipes; the error says which limits to raise."""
    command = ["run", "smoke", "--timeout", "60", "--jobs", "8"]
    done = run_limited("RLIMIT_NOFILE", 16, command, tmp_path)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "Too many open files" in line
    assert "raise it (ulimit -v, -u, -n) or use fewer --jobs" in line
    assert "Traceback" not in done.stderr


def run_limited(
    limit: str, value: int, command: list[str], place: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command of optbench under a limit of the system."""
    pytest.importorskip("resource", reason="resource is missing: no limit can be set")
    return subprocess.run(
        [sys.executable, "-c", LIMITED, limit, str(value), *command],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
