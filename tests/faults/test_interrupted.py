"""Ctrl-C and SIGTERM at any moment: the right exit code, a clear line, and nothing lost."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.conftest import Quiet
from tests.faults.studies import COMPILED, Folder

INT, TERM = int(signal.SIGINT), int(signal.SIGTERM)
STARTING = ["importing:click", "importing:optbench.suites", "planning", "opening"]
TRAINING = ["importing:numba", "compiling", "committing", "comparing", "writing"]


def interrupt(folder: Folder, *moments: str, code: int = 130) -> str:
    """Run it, with signals at these moments; what it said."""
    outcome = folder.run(*moments).check(code)
    folder.check()
    said = [line for line in outcome.err.splitlines() if "interrupted" in line]
    assert said, outcome.err
    return "\n".join(said)


def test_ctrl_c_before_anything_is_trained(tmp_path: Path) -> None:
    """One line, also when the command line itself is still being imported."""
    folder = Folder(tmp_path)
    for moment in STARTING:
        assert interrupt(folder, f"{moment}={INT}") == "error: interrupted", moment
    assert folder.stored() == {}


def test_ctrl_c_at_every_later_stage_in_turn(tmp_path: Path, quiet: Quiet) -> None:
    """What is finished is kept and reported, with a line that says how to go on."""
    folder = Folder(tmp_path, pause=0.02)
    for moment in TRAINING:
        said = interrupt(folder, f"{moment}={INT}")
        assert "finished runs are kept in study; to go on: optbench run smoke" in said, moment
    folder.run().check(0)
    folder.check()
    assert folder.board() == quiet()


def test_twice_is_no_crash_and_sigterm_is_as_good(tmp_path: Path, quiet: Quiet) -> None:
    """The first signal ends the training, a second one also the report; SIGTERM gives 143."""
    judged = (*COMPILED, "--ruleset", "defaults")  # nothing is tuned: every run is reported
    folder = Folder(tmp_path, judged, pause=0.02)
    interrupt(folder, f"training={INT}", f"comparing={INT}")
    assert folder.stored()
    assert not (folder.out / "leaderboard.json").exists()
    interrupt(folder, f"committing={TERM}", code=143)
    assert (folder.out / "leaderboard.json").exists(), "no report of what is finished"
    folder.run().check(0)
    folder.check()
    assert folder.board() == quiet(judged)
