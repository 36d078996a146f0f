"""Killed worker processes cost only time."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

from tests.faults.conftest import Undisturbed
from tests.faults.gates import Gate
from tests.faults.studies import BOTH, STEPPED, Folder, no_orphans
from tests.support.waiting import wait_for


def test_a_study_survives_the_death_of_its_workers(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """Their runs are trained again by other workers, with the same numbers."""
    two = ("--jobs", "2")
    folder, gate = Folder(tmp_path, BOTH, *two), Gate(tmp_path / "gate")
    driver = folder.start(**gate.env)

    def kill(worker: psutil.Process, number: signal.Signals) -> None:
        worker.send_signal(number)
        wait_for(lambda: worker not in driver.workers(), "the death of a worker")

    driver.until(lambda: len(folder.at_work(driver)) == 2, "two workers that train")
    for worker, number in zip(
        folder.at_work(driver), (signal.SIGKILL, signal.SIGSEGV), strict=True
    ):
        kill(worker, number)
    driver.until(lambda: folder.at_work(driver), "a worker in their place")
    kill(folder.at_work(driver)[0], signal.SIGTERM)
    gate.open()
    driver.wait().check(0)
    folder.check()
    assert len(folder.starts()) >= len(set(folder.starts())) + 3
    assert folder.board() == undisturbed(BOTH, *two)


def test_no_worker_outlives_its_driver(tmp_path: Path) -> None:
    """However the driver ends, even if their runs never end."""
    gate = Gate(tmp_path / "gate")
    for number in (signal.SIGKILL, signal.SIGTERM):
        folder = Folder(tmp_path / number.name, STEPPED, "--jobs", "2")
        driver = folder.start_and_train(2, **gate.env)
        with no_orphans(driver) as workers:
            assert len(workers) == 2
            driver.send(number)
            driver.wait()
