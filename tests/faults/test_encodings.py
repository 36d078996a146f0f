"""Terminals that cannot show every character, and paths that are not UTF-8, end no command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from optbench.support.standard_streams import HANDLER, printable_path
from tests.support.waiting import PATIENCE

STUDY = ["run", "smoke", "-o", "sgd", "-o", "adam", "--grid", "3", "--seeds", "2"]
STUDY += ["-r", "batch", "--epochs", "2", "--formats", "none", "--out"]
COMMANDS = [
    [*STUDY, "study"],
    [*STUDY, "study", "--dry-run"],
    ["report", "study", "--formats", "none"],
    ["compare", "study", "study"],
    ["inspect", "--in", "study"],
    ["inspect", "-i", "he-normal", "-d", "iris"],
    ["list", "optimizers"],
    ["show", "adam"],
    ["plugins"],
    ["no\u2013such\u2588command\udcff"],
]
SCRIPT = """
import json, sys
from optbench.__main__ import main
codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["optbench", *arguments]
    try:
        main()
    except SystemExit as end:
        codes.append(end.code)
print("codes:", codes)
"""


def run(folder: Path, *arguments: str | bytes, **variables: str) -> tuple[int, bytes, bytes]:
    """Run Python with these arguments; return the exit code and the bytes of both streams."""
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study is finished."""
    folder = Path(tmp_path_factory.mktemp("encodings"))
    code, out, err = run(folder, "-m", "optbench", *STUDY, "study", PYTHONIOENCODING="utf-8")
    assert code == 0, err
    assert "\u2588" in out.decode()
    return folder


@pytest.mark.parametrize(
    ("encoding", "variables"),
    [
        ("ascii", {"PYTHONIOENCODING": "ascii"}),
        ("latin-1", {"PYTHONIOENCODING": "latin-1"}),
        ("cp1252", {"PYTHONIOENCODING": "cp1252:strict"}),
        ("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
        ("ascii", {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
    ids=["ascii", "latin-1", "cp1252", "C", "POSIX"],
)
def test_every_command_works_in_every_encoding(
    encoding: str, variables: dict[str, str], folder: Path
) -> None:
    """Tables have ASCII stand-ins, and both streams hold only what the encoding can write."""
    commands = json.dumps(COMMANDS)
    code, out, err = run(folder, "-c", SCRIPT, commands, **{"PYTHONIOENCODING": "", **variables})
    text, errors = out.decode(encoding), err.decode(encoding)
    assert code == 0, errors
    assert f"codes: {[0] * (len(COMMANDS) - 1) + [2]}" in text, errors
    assert "##" in text
    assert "Unicode" not in text + errors


@pytest.mark.skipif(sys.platform != "linux", reason="paths of other systems are text")
def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    """A study in such a folder is trained, stored and reported, and all its files are valid."""
    out = b"odd-\xff"
    words = [*STUDY[:-3], "--formats", "svg", "--out"]
    for command in (words, ["report"], ["compare", out]):
        code, _, err = run(tmp_path, "-m", "optbench", *command, out)
        assert code == 0, err
    study = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), out)))
    assert "odd-" in (study / "report.html").read_text(encoding="utf-8")
    assert json.loads((study / "leaderboard.json").read_text(encoding="utf-8"))
    code, text, err = run(tmp_path, "-m", "optbench", *words, out, "--json")
    assert code == 0, err
    assert json.loads(text)["complete"]


def test_stand_ins_keep_the_width_of_a_table() -> None:
    """Bars, sparklines, boxes and marks are one ASCII character each."""
    drawn = "█▉▊▋▌▍▎▏▁▂▃▄▅▆▇•●·×†│─┌┼⣿–…≥é"
    shown = drawn.encode("ascii", HANDLER).decode()
    assert len(shown) == len(drawn)
    assert shown.endswith("-.>e")
    assert "日\udcff".encode("ascii", HANDLER) == rb"\u65e5\xff"
    assert printable_path("é\udcff") == "é\\xff"
