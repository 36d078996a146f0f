"""A study on a read-only file system can be read by every command that only reads."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from optbench.cli import main
from optbench.store import Store
from optbench.store.database import connect
from tests.faults.disks import SmallDisk, mounted

RUN = ["run", "smoke", "--epochs", "1", "-r", "batch", "--formats", "none"]
COMMANDS = [
    ["report", "{}", "--to", "{out}/report", "--formats", "none"],
    ["export", "{}"],
    ["inspect", "--in", "{}"],
    ["compare", "{}", "{}"],
    ["merge", "{}", "{}", "--out", "{out}/merged"],
    [*RUN, "--out", "{}", "--dry-run"],
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk with a study on it."""
    with mounted(tmp_path / "disk", 20) as disk:
        if disk is None:
            pytest.skip("not allowed: mounting a file system")
        result = CliRunner().invoke(main, [*RUN, "--out", str(disk.place / "study")])
        assert result.exit_code == 0, result.stderr
        yield disk


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_read_only_study_can_be_read(disk: SmallDisk, tmp_path: Path, command: list[str]) -> None:
    """The answer is that of a study that can be written to."""
    folder = str(disk.place / "study")
    words = [word.format(folder, out=tmp_path) for word in command]
    with disk.read_only():
        result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.stderr
    assert "Traceback" not in result.output
    other = [word.replace(str(tmp_path / "merged"), str(tmp_path / "again")) for word in words]
    assert CliRunner().invoke(main, other).stdout == result.stdout


def test_a_read_only_store_of_the_first_schema_is_read_as_it_is(disk: SmallDisk) -> None:
    """It cannot be migrated, and has no checksums."""
    path = disk.place / "old.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parent / "schema_1.sql").read_text())
    with disk.read_only(), Store(path, create=False) as store:
        assert len(list(store.results())) == 3
        assert store.last_study() == b'{"suite":"smoke"}'
        assert store.last_session() == ("optbench run smoke", {"python": "3.11.7"})


def test_committed_runs_in_a_log_are_read_from_a_read_only_disk(disk: SmallDisk) -> None:
    """A driver that was killed leaves a log beside its store; what is in it counts."""
    path = disk.place / "study" / "runs.sqlite"
    copy = disk.place / "killed"
    copy.mkdir()
    with Store(path) as store:
        count = store.count()
        store.begin_session("the last one", {})  # stands in the log until the store is closed
        for file in path.parent.glob("runs.sqlite*"):
            shutil.copy(file, copy / file.name)
    assert (copy / "runs.sqlite-wal").stat().st_size
    with disk.read_only(), Store(copy / "runs.sqlite", create=False) as store:
        assert store.count() == count
        query = "SELECT command FROM sessions ORDER BY id DESC LIMIT 1"
        with contextlib.closing(connect(copy / "runs.sqlite")) as db:
            assert db.execute(query).fetchone() == ("the last one",)
