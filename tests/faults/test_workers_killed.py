"""Worker processes that are killed cost time, and nothing else."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.conftest import Quiet
from tests.faults.studies import STEPPED, Folder, no_orphans, wait_for

SIGNALS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]


def test_a_study_survives_the_death_of_its_workers(tmp_path: Path, quiet: Quiet) -> None:
    """Whatever kills them: their runs are trained elsewhere, with the same numbers."""
    folder = Folder(tmp_path, pause=0.3)
    driver = folder.start()
    killed = []
    for number in SIGNALS:
        driver.until(lambda: len(training(folder) & pids(driver)) > 0, "a worker that trains")
        worker = next(w for w in driver.workers() if w.pid in training(folder))
        worker.send_signal(number)
        wait_for(lambda w=worker: not w.is_running() or w.status() == "zombie", "its death")
        killed.append(worker.pid)
    assert driver.running
    driver.wait().check(0)
    assert len(set(killed)) == len(SIGNALS)
    folder.check()
    assert len(folder.starts()) > len(set(folder.starts())), "no kill came in the middle of a run"
    assert folder.board() == quiet()


def training(folder: Folder) -> set[int]:
    """Process ids in the log of training starts."""
    if not folder.log.exists():
        return set()
    return {int(line.split()[1]) for line in folder.log.read_text().splitlines()}


def pids(driver) -> set[int]:  # type: ignore[no-untyped-def]
    return {worker.pid for worker in driver.workers()}


def test_no_worker_outlives_its_driver(tmp_path: Path) -> None:
    """However the driver ends, and however long the run is that they are in."""
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        folder = Folder(tmp_path / number.name, STEPPED, pause=60)
        driver = folder.start_and_train(2)
        with no_orphans(driver) as workers:
            assert len(workers) == 2
            driver.send(number)
            driver.wait()
