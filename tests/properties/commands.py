"""Runs a command in this process, whatever it is given, and judges how it ended."""

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

CODES = {0, 1, 2, 3, 130}
SECONDS = 120
"""No command given junk takes this long; one that does hangs."""
OUT = "out"
"""The folder that a command is told to write to."""


class Hung(BaseException):
    """The command took too long; no `except Exception` may hide it."""


@contextmanager
def limited() -> Iterator[None]:
    """Ends what hangs."""
    if not hasattr(signal, "SIGALRM"):
        pytest.skip("signal.SIGALRM is missing")

    def stop(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def inside(folder: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def call(arguments: list[str]) -> Result:
    """The command, in this process, in an empty folder; nothing but OUT is there afterwards."""
    note(f"optbench {arguments}")
    with tempfile.TemporaryDirectory() as folder, inside(folder), limited():
        result = CliRunner().invoke(main, arguments)
        written = {path.name for path in Path(folder).iterdir()}
    assert written <= {OUT}, written
    return result


def is_told_clearly(result: Result) -> None:
    """What a bad input comes to: a code of the table, and one line for a failure."""
    note(result.output)
    assert result.exit_code in CODES
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    assert "OPTBENCH_TRACEBACK" not in result.stderr  # said of faults that nobody thought of
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == (result.exit_code in (1, 2, 130))
    if errors:
        assert len(errors[0]) > len("error: ")
        assert not any(c for c in errors[0] if ord(c) < 32)
