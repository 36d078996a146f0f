"""Child processes find the same modules as their parent."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from optbench.support.child_processes import end_child, read_frame, start_child

CHILD = """
import json, sys
from optbench.support.child_processes import take_streams, write_frame

def main():
    _, out = take_streams()
    write_frame(out, json.dumps(sys.path).encode())
"""


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
