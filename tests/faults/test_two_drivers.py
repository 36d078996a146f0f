"""Two drivers on one folder: both finish, and the runs are stored once."""

from __future__ import annotations

from pathlib import Path

from tests.faults.conftest import Quiet
from tests.faults.studies import Folder, wait_for


def test_two_drivers_end_with_one_leaderboard(tmp_path: Path, quiet: Quiet) -> None:
    """Started together, with the report in the same folder; no run is in the store twice."""
    folder = Folder(tmp_path, pause=0.1)
    drivers = [folder.start(), folder.start()]
    outcomes = [driver.wait().check(0) for driver in drivers]
    assert outcomes[0].out == outcomes[1].out
    assert folder.board() == quiet()
    stored = folder.stored()
    assert len({data.split()[0] for data in stored.values()}) == 2, "one did all the work"
    assert len(folder.starts()) > len(stored), "the two never met"
    assert list(folder.out.rglob("*.part")) == []


def test_one_of_two_drivers_is_killed(tmp_path: Path, quiet: Quiet) -> None:
    """The other one goes on, and holds no lock of the dead."""
    folder = Folder(tmp_path, pause=0.2)
    first, second = folder.start_and_train(), folder.start()
    wait_for(lambda: len(folder.sessions()) == 2, "both at work")
    assert first.running
    first.kill()
    second.wait().check(0)
    assert folder.board() == quiet()
