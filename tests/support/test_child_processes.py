"""Child processes find the modules of this one, and no others."""

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


def test_a_child_looks_for_modules_where_this_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for those of optbench: an exercise in the current folder is not Python's own module."""
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
        found = read_frame(child.stdout)
    finally:
        end_child(child)
    assert json.loads(found or b"null") == sys.path[:-1]  # Python passes over what is no text
