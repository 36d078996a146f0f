"""Reports of a study that ends because nobody reads its output.

A stream may be closed, full, narrow, or a pipe whose reader has gone. Messages that cannot be
written cost nothing; a result that cannot be written is an error of one line, after all is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from optbench.study import load_study

WORDS = (
    "run smoke --epochs 1 -r batch -o sgd -d iris --replicates 1 --budget 1 "
    "--formats none --out out"
)
needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="missing: /dev/full, a device that is full"
)


def shell(words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run optbench in a shell, which redirects its streams."""
    command = f'"{sys.executable}" -m optbench {words}'
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "streams",
    [
        "<&- >&- 2>&-",
        pytest.param("2>/dev/full", marks=needs_full),
        "2>&1 >/dev/null | true",
    ],
)
def test_messages_that_cannot_be_written_cost_nothing(streams: str, tmp_path: Path) -> None:
    """The study ends with its report."""
    done = shell(f"{WORDS} {streams}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_study(tmp_path / "out").complete
    assert (tmp_path / "out/report.html").is_file()


@needs_full
def test_a_full_stdout_is_named_and_all_is_kept(tmp_path: Path) -> None:
    """One line, the exit code of an error, and the report."""
    done = shell(f"{WORDS} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: No space left on device: standard output"
    assert "Traceback" not in done.stderr
    assert load_study(tmp_path / "out").complete
    assert (tmp_path / "out/report.html").is_file()


@needs_full
@pytest.mark.parametrize("streams", [">/dev/full", ">/dev/full 2>/dev/full"])
def test_every_command_ends_with_one_line_at_most(streams: str, tmp_path: Path) -> None:
    """Also where there is no place for the line."""
    done = shell(f"show adam {streams}", tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == ("2>" not in streams)


@pytest.mark.parametrize("columns", ["1", "17"])
def test_a_narrow_terminal_shows_a_report(columns: str, tmp_path: Path) -> None:
    """Nothing is lost but its looks."""
    assert shell(WORDS, tmp_path, COLUMNS=columns).returncode == 0
    for words in ("report out", "show adam", "list", "plugins", "check sgd -q"):
        done = shell(words, tmp_path, COLUMNS=columns)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
