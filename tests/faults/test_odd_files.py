"""Files that are not regular in the place of files that are read: one line, and never a hang."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.studies import SMALL
from tests.support.waiting import PATIENCE

STUDY = ["run", "smoke", "-o", "sgd", *SMALL, "--out", "study"]
PLUGIN = """
from pathlib import Path
from optbench import Initializer, hookimpl
class Start(Initializer):
    name = "start"
    data_files = "table"
@hookimpl
def optbench_register_initializers():
    return [Start]
@hookimpl
def optbench_register_targets():
    return [Path(__file__).with_name("targets.toml")]
"""
ODD = ("fifo", "socket", "/dev/zero", "/dev/full")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study is finished."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("os.mkfifo is missing")
    folder = Path(tmp_path_factory.mktemp("odd"))
    assert run(folder, STUDY) == (0, [])
    return folder


def run(folder: Path, arguments: list[str], word: str = "error:") -> tuple[int, list[str]]:
    """Run a command; return its exit code and the lines of stderr with this word.

    Raises:
        subprocess.TimeoutExpired: It hangs.
    """
    done = subprocess.run(
        [sys.executable, "-m", "optbench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, [line for line in done.stderr.splitlines() if word in line]


def put(kind: str, path: Path) -> None:
    """Put something that is not a regular file in this place."""
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(path))
    else:
        path.symlink_to(kind)


@pytest.mark.parametrize("kind", ODD)
def test_the_manifest_of_a_report_counts_as_none(folder: Path, kind: str) -> None:
    """The report is written again, with a regular manifest in its place."""
    put(kind, folder / "study" / ".report.json")
    assert run(folder, ["report", "study", "--formats", "none"]) == (0, [])
    assert (folder / "study" / ".report.json").is_file()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ODD)
def test_a_store_and_what_sqlite_keeps_beside_it(
    folder: Path, kind: str, suffix: str, tmp_path: Path
) -> None:
    """The store is left unchanged, and the file is named."""
    store = tmp_path / "study" / "runs.sqlite"
    store.parent.mkdir()
    store.write_bytes((folder / "study" / "runs.sqlite").read_bytes())
    put(kind, Path(f"{store}{suffix}"))
    code, lines = run(tmp_path, STUDY)
    assert code == 1
    (line,) = lines
    assert f"runs.sqlite{suffix} is not a regular file" in line


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("suite.toml", ["run", "./suite.toml", "--dry-run"]),
        ("plugin.py", ["list", "datasets", "--plugin", "plugin.py"]),
        ("plugin.py", ["check", "plugin.py"]),
        ("table", ["run", "smoke", "-i", "start", "--plugin", "registers.py", "--dry-run"]),
    ],
)
def test_an_input_is_a_regular_file(
    tmp_path: Path, kind: str, name: str, command: list[str]
) -> None:
    """Suites, plugins and the data files of plugins are named and not read."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("os.mkfifo is missing")
    (tmp_path / "registers.py").write_text(PLUGIN)
    for other in ("targets.toml", "table"):
        (tmp_path / other).touch()
    put(kind, tmp_path / name)
    code, lines = run(tmp_path, command)
    assert code == 1
    (line,) = lines
    assert name in line
    assert "regular file" in line


@pytest.mark.parametrize("kind", ODD)
def test_targets_of_a_plugin_that_are_no_regular_file_cost_a_warning(
    tmp_path: Path, kind: str
) -> None:
    """Not the study; the file is named and not read."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("os.mkfifo is missing")
    (tmp_path / "registers.py").write_text(PLUGIN)
    (tmp_path / "table").touch()
    put(kind, tmp_path / "targets.toml")
    command = ["run", "smoke", "--plugin", "registers.py", "--dry-run"]
    code, (line,) = run(tmp_path, command, "targets.toml")
    assert code == 0
    assert "regular file" in line


def test_an_export_into_a_fifo_that_nothing_reads(folder: Path) -> None:
    """It would wait until something does."""
    put("fifo", folder / "pipe")
    code, lines = run(folder, ["export", "study", "--to", "pipe"])
    assert code == 1
    assert lines == ["error: nothing reads from this FIFO: pipe"]
