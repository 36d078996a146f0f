"""Child processes find the same modules as their parent, which shows all that they print."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from optbench.support import child_processes
from optbench.support.child_processes import end_child, read_frame, start_child
from tests.support.waiting import PATIENCE

CHILD = """
import json, sys
from optbench.support.child_processes import take_streams, write_frame

def main():
    _, out = take_streams()
    write_frame(out, json.dumps(sys.path).encode())
"""


PRINTING_CHILD = """
import os, subprocess
from optbench.support.child_processes import take_streams, write_frame

def main():
    source, out = take_streams()
    print("printed")
    os.write(2, b"bar 1\\rbar 2\\r\\nnot UTF-8: \\xff\\n" + b"x" * 5000 + b"\\nlast words")
    write_frame(out, b"ready")
    {end}
"""


@pytest.mark.parametrize("end", ["source.read()", "os._exit(7)", "os.abort()"])
def test_all_that_a_child_prints_is_shown_even_if_it_dies(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line by line, also an unfinished one; long ones are cut; nothing comes after `end_child`."""
    (tmp_path / "printing_child.py").write_text(PRINTING_CHILD.format(end=end))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(child_processes, "LAST_LINES_SECONDS", PATIENCE)
    lines: list[str] = []
    child = start_child("printing_child:main", lines.append)
    assert child.stdout is not None
    read_frame(child.stdout)
    end_child(child)
    printed = ["printed", "bar 1", "bar 2", "not UTF-8: \ufffd", "x" * 4096 + " [...]"]
    assert lines == [*printed, "last words"]


def test_a_child_searches_the_same_folders_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user in the current folder does not hide a module of Python."""
    home, elsewhere = tmp_path / "home", tmp_path / "übung's"
    home.mkdir()
    elsewhere.mkdir()
    (home / "queue.py").write_text("raise SystemExit('no module of yours')\n")
    (elsewhere / "child_of_a_test.py").write_text(CHILD)
    monkeypatch.chdir(home)
    monkeypatch.setattr(sys, "path", [*sys.path, str(elsewhere), elsewhere])
    child = start_child("child_of_a_test:main")
    try:
        assert child.stdout is not None
        frame = read_frame(child.stdout)
    finally:
        end_child(child)
    assert json.loads(frame or b"null") == sys.path[:-1]  # Python ignores entries that are not text
