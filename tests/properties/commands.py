"""Runs a command in this process with any arguments, and checks how it ends."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import note

from optbench.cli import main
from tests.support.waiting import PATIENCE

CODES = {0, 1, 2, 3, 130}
OUT = "out"
"""Output folder of a command."""


class Hung(BaseException):
    """The command took too long. It is not an `Exception`, so that no handler hides it."""


@contextmanager
def limited() -> Iterator[None]:
    """Raise `Hung` when the block takes too long."""
    if not hasattr(signal, "SIGALRM"):
        pytest.skip("signal.SIGALRM is missing")

    def stop(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def inside(folder: str) -> Iterator[None]:
    """Make this the current folder while the block runs."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def call(arguments: list[str]) -> Result:
    """Run the command in an empty folder, where it may write only to OUT."""
    note(f"optbench {arguments}")
    with tempfile.TemporaryDirectory() as folder, inside(folder), limited():
        result = CliRunner().invoke(main, arguments)
        written = {path.name for path in Path(folder).iterdir()}
    assert written <= {OUT}, written
    return result


def check_outcome(result: Result) -> None:
    """Require a documented exit code, and one line of error for a failure."""
    note(result.output)
    assert result.exit_code in CODES
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    assert "OPTBENCH_TRACEBACK" not in result.stderr  # which reports unexpected exceptions
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == (result.exit_code in (1, 2, 130))
    if errors:
        assert len(errors[0]) > len("error: ")
        assert not any(c for c in errors[0] if ord(c) < 32)
