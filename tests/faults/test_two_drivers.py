"""Two drivers on one folder: both finish, and the runs are stored once."""

from __future__ import annotations

from pathlib import Path

from tests.faults.conftest import Undisturbed
from tests.faults.gates import Gate
from tests.faults.studies import Folder
from tests.support.waiting import wait_for


def test_two_drivers_end_with_one_leaderboard(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """Started together, they write the report to one folder; no run is in the store twice."""
    folder, gates = Folder(tmp_path), [Gate(tmp_path / name) for name in ("a", "b")]
    drivers = [folder.start(**gate.env) for gate in gates]
    wait_for(lambda: len(folder.starts()) > len(set(folder.starts())), "both at the same run")
    gates[0].let(2)
    wait_for(lambda: len(folder.stored()) == 2, "two runs of the first driver")
    gates[1].let(4)
    wait_for(lambda: len(folder.stored()) > 2, "further runs of the second one")
    for gate in gates:
        gate.open()
    outcomes = [driver.wait().check(0) for driver in drivers]
    assert outcomes[0].out == outcomes[1].out
    assert folder.board() == undisturbed()
    assert len({data.split()[0] for data in folder.stored().values()}) == 2
    assert list(folder.out.rglob("*.part")) == []


def test_one_of_two_drivers_is_killed(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """The other one goes on: no lock of the dead one holds it up."""
    folder, gate = Folder(tmp_path), Gate(tmp_path / "gate")
    gate.let(2)
    first = folder.start(**gate.env)
    first.until(lambda: len(folder.stored()) == 2, "two runs in the store")
    second = folder.start(**gate.env)
    wait_for(lambda: len(folder.sessions()) == 2, "both at work")
    first.kill()
    gate.open()
    second.wait().check(0)
    assert folder.board() == undisturbed()
