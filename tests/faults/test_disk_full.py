"""A full disk: one clear line, exit code 1, committed runs are safe, and the study can go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.disks import SmallDisk, mounted
from tests.faults.studies import COMPILED, Folder

PLOTS = ("--formats", "svg")


def fails(folder: Folder, *moments: str, disk: SmallDisk | None = None) -> str:
    """Run the study into the full disk; return the one line of its error."""
    outcome = folder.run(*moments).check(1)
    if disk is not None:
        disk.free()  # reading the store takes some room as well
    folder.check()
    assert len(outcome.errors) == 1, outcome.err
    return outcome.errors[0]


def goes_on(folder: Folder, expected: dict[str, str]) -> None:
    """With room again the same command ends like an undisturbed one, without partial files."""
    folder.run().check(0)
    folder.check()
    assert folder.board() == expected
    assert list(folder.out.rglob("*.part")) == []


@pytest.mark.parametrize(
    ("kilobytes", "message"),
    [
        (48, "committed"),  # less than the log of the store
        (1000, "cannot write the report to 'study': File too large; finished runs are safe"),
    ],
    ids=["store", "report"],
)
def test_files_that_may_not_grow(
    kilobytes: int, message: str, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    """A quota is handled like a full disk, for the store and for the page of the report."""
    folder = Folder(tmp_path)
    assert message in fails(folder, f"limit:{kilobytes}")
    goes_on(folder, undisturbed())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of twelve megabytes."""
    with mounted(tmp_path / "disk", 12) as disk:
        if disk is None:
            pytest.skip("no right to mount a tmpfs (CAP_SYS_ADMIN is missing)")
        yield disk


def test_a_disk_that_is_full(disk: SmallDisk, tmp_path: Path, undisturbed: Undisturbed) -> None:
    """From the first file to the last plot, as the disk is emptied little by little."""
    folder = Folder(tmp_path / "here", COMPILED, *PLOTS)
    folder.out.symlink_to(disk.place, target_is_directory=True)
    disk.leave(12)
    assert "study/runs.sqlite: the disk" in fails(folder, disk=disk)
    disk.leave(80)  # the store can be made, and soon not grow
    assert "study/runs.sqlite: the disk is full; every run committed" in fails(folder, disk=disk)
    disk.leave(600)  # all runs, and the first plots
    assert "cannot write the report to 'study': No space left on device" in fails(folder, disk=disk)
    assert len(folder.stored()) == 12
    goes_on(folder, undisturbed(COMPILED, *PLOTS))
