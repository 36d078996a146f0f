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
        driver.until(lambda: folder.at_work(driver), "a worker that trains")
        worker = folder.at_work(driver)[0]
        worker.send_signal(number)
        wait_for(lambda w=worker: w not in driver.workers(), "its death")
        killed.append(worker.pid)
    assert driver.running
    driver.wait().check(0)
    assert len(set(killed)) == len(SIGNALS)
    folder.check()
    assert len(folder.starts()) > len(set(folder.starts())), "no kill came in the middle of a run"
    assert folder.board() == quiet()


def test_no_worker_outlives_its_driver(tmp_path: Path) -> None:
    """However the driver ends, and however long the run is that they are in."""
    for number in (signal.SIGKILL, signal.SIGTERM):
        folder = Folder(tmp_path / number.name, STEPPED, pause=60)
        driver = folder.start_and_train(2)
        with no_orphans(driver) as workers:
            assert len(workers) == 2
            driver.send(number)
            driver.wait()
