"""Runs the command line, in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from optbench.cli import main

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


def start(arguments: Sequence[str | Path], **env: str) -> subprocess.Popen[str]:
    """Start a command as a process."""
    return subprocess.Popen(
        [sys.executable, "-c", "from optbench.cli import main; main()", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
