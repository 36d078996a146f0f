"""Runs that last about as long as ``--timeout``, and drivers that are stopped for longer."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from optbench.study import load_study
from tests.faults.gates import Gate
from tests.faults.studies import LIMIT_SECONDS, STEPPED, Folder


def test_runs_near_the_limit_end_or_fail_and_the_study_ends_well(tmp_path: Path) -> None:
    """A result that is late for its worker's death is dropped; it crashes nothing."""
    entrants = ("-o", "walker", "--ruleset", "defaults", "--seeds", "12")
    folder = Folder(tmp_path, entrants, "--timeout", "1", "--jobs", "4", pause=0.95)
    outcome = folder.run()
    outcome.check(3 if "failed:" in outcome.err else 0)
    assert load_study(folder.out).complete
    assert set(folder.starts()) <= set(folder.stored())  # a run can be late before it is logged


def test_the_time_in_which_a_driver_is_stopped_does_not_count(tmp_path: Path) -> None:
    """Ctrl-Z for longer than the limit, and ``fg``: no run is blamed."""
    limits = ("--timeout", str(LIMIT_SECONDS), "--jobs", "2")
    folder, gate = Folder(tmp_path, STEPPED, *limits), Gate(tmp_path / "gate")
    driver = folder.start(**gate.env)
    driver.until(lambda: folder.at_work(driver), "a worker that trains")
    driver.send(signal.SIGSTOP)
    time.sleep(LIMIT_SECONDS + 2)
    gate.open()
    driver.send(signal.SIGCONT)
    driver.wait().check(0)
    folder.check()
