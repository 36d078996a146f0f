"""Runs the command line, in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from click.testing import CliRunner

from optbench.cli import main
from tests.support.waiting import PATIENCE

TINY = ["smoke", "--epochs", "2", "--grid", "5", "-r", "batch", "--formats", "none"]
"""Ten runs of milliseconds, and no plots."""


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def optbench(*arguments: object) -> Outcome:
    """Run a command in this process; the arguments may be paths or numbers."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    return Outcome(result.exit_code, result.stdout, result.stderr)


def optbench_process(*arguments: object) -> Outcome:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "from optbench.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
