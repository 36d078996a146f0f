"""A low limit on memory: one line that names it, within seconds, and never a hang."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["optbench", *sys.argv[2:]]
from optbench.__main__ import main
main()
"""


@pytest.mark.parametrize("command", [["run", "smoke"], ["sweep", "-o", "sgd"], ["inspect"]])
@pytest.mark.parametrize("megabytes", [200, 400])
def test_too_little_address_space_is_one_line(
    megabytes: int, command: list[str], tmp_path: Path
) -> None:
    """Nothing is imported, loaded or started that would fail or hang; the limit is named."""
    pytest.importorskip("resource", reason="resource is missing: memory cannot be limited")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(megabytes * 10**6), *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: this process may use {megabytes} MB of address space, and training needs at least "
        "682 MB; raise the limit (ulimit -v)"
    ]
    assert list(tmp_path.iterdir()) == []
