"""Ctrl-C and SIGTERM at any moment: the right exit code, a clear line, and nothing lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from optbench.study import load_study
from tests.faults.conftest import Undisturbed
from tests.faults.gates import Gate
from tests.faults.studies import COMPILED, Folder

INT, TERM = int(signal.SIGINT), int(signal.SIGTERM)
STARTING = ["importing:click", "importing:optbench.suites", "planning", "opening"]
TRAINING = ["importing:numba", "compiling", "committing", "comparing", "writing"]


def interrupt(folder: Folder, *moments: str, code: int = 130) -> str:
    """Run the study with signals at these moments; return the lines about the interruption."""
    outcome = folder.run(*moments).check(code)
    folder.check()
    lines = [line for line in outcome.err.splitlines() if "interrupted" in line]
    assert lines, outcome.err
    return "\n".join(lines)


def test_ctrl_c_before_anything_is_trained(tmp_path: Path) -> None:
    """The error is one line, even while the command line itself is being imported."""
    folder = Folder(tmp_path)
    for moment in STARTING:
        assert interrupt(folder, f"{moment}={INT}") == "error: interrupted", moment
    assert folder.stored() == {}


def test_ctrl_c_at_every_later_stage_in_turn(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """Finished runs are kept and reported, and a line says how to continue."""
    folder = Folder(tmp_path, pause=0.02)
    for moment in TRAINING:
        lines = interrupt(folder, f"{moment}={INT}")
        # One run may be finished, or more.
        stored = "stored in study; to continue: optbench run smoke"
        assert stored in lines, moment
    folder.run().check(0)
    folder.check()
    assert folder.board() == undisturbed()


def test_twice_is_not_a_crash_and_sigterm_does_the_same(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """The first signal ends the training, the second one the report; SIGTERM gives 143."""
    entrants = (*COMPILED, "--ruleset", "defaults")  # nothing is tuned: every run is reported
    folder, gate = Folder(tmp_path, entrants), Gate(tmp_path / "gate")
    folder.watch |= gate.env
    gate.let(1)  # so that other runs are left
    interrupt(folder, f"training={INT}", f"comparing={INT}")
    assert folder.stored()
    assert not (folder.out / "leaderboard.json").exists()
    gate.let(1)
    interrupt(folder, f"committing={TERM}", code=143)
    assert (folder.out / "leaderboard.json").exists(), "the finished runs are not reported"
    gate.open()
    folder.run().check(0)
    folder.check()
    assert folder.board() == undisturbed(entrants)


def test_a_signal_at_the_last_commit_comes_too_late_to_stop_anything(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """The only run is trained by then: it is stored and reported, and the command has succeeded."""
    entrant, one_seed = ("-o", "sgd", "--ruleset", "defaults"), ("--seeds", "1")
    for number in (INT, TERM):
        folder = Folder(tmp_path / str(number), entrant, *one_seed)
        folder.run(f"committing={number}").check(0)
        folder.check()
        assert folder.board() == undisturbed(entrant, *one_seed)


def test_ctrl_c_in_a_look_of_a_study_that_runs_until_it_is_decided(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """What is finished is reported without the look, and can be reported again."""
    until_decided = (*COMPILED, "--until", "decided", "--replicates", "8")
    folder = Folder(tmp_path, until_decided)
    interrupt(folder, f"looking={INT}")
    assert [look.level for look in load_study(folder.out).looks] == [0]
    reported = folder.board()
    report = [sys.executable, "-m", "optbench", "report", str(folder.out), "--formats", "none"]
    subprocess.run(report, check=True, capture_output=True)
    assert folder.board() == reported
    folder.run().check(0)
    folder.check()
    assert folder.board() == undisturbed(until_decided)


def test_ctrl_c_while_the_study_is_saved_still_reports(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """It ends nothing but the training, which has ended; a second signal skips the report."""
    folder = Folder(tmp_path / "one", COMPILED)
    interrupt(folder, f"saving={INT}")
    assert folder.board() == undisturbed(COMPILED)
    folder = Folder(tmp_path / "two", COMPILED, pause=0.02)
    interrupt(folder, f"training={INT}", f"saving={INT}")
    assert not (folder.out / "leaderboard.json").exists()
    folder.run().check(0)
    folder.check()
    assert folder.board() == undisturbed(COMPILED)


def test_a_second_signal_never_ends_the_process_bare(tmp_path: Path) -> None:
    """It may come after the report, when the command has returned, or when Python shuts down."""
    folder, gate = Folder(tmp_path, COMPILED), Gate(tmp_path / "gate")
    for number in (INT, TERM):
        for moment in ("telling", "exiting", "finishing"):
            gate.let(1)  # so that there is a run to train the next time
            folder.run(f"training={number}", f"{moment}={number}", **gate.env).check(128 + number)
            folder.check()
