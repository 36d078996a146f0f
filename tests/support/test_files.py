"""Files appear complete, and one driver at a time writes them."""

from __future__ import annotations

import logging
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optbench.support import files
from optbench.support.files import folder_lock, open_output, read_file, write_text
from tests.support.waiting import PATIENCE


def test_a_driver_that_waits_for_another_logs_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The other driver may be stopped and never continue."""
    pytest.importorskip("fcntl", reason="fcntl is missing: folders cannot be locked")
    caplog.set_level(logging.INFO, "optbench")
    waiting, entered = threading.Event(), threading.Event()

    def notice(record: logging.LogRecord) -> bool:
        waiting.set()
        return True

    caplog.handler.addFilter(notice)

    def second() -> None:
        with folder_lock(tmp_path):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with folder_lock(tmp_path):
            assert caplog.messages == []
            writing = pool.submit(second)
            assert waiting.wait(PATIENCE)
            assert not entered.is_set()
        writing.result(PATIENCE)
    assert caplog.messages == [f"another driver writes to {tmp_path}; waiting"]
    assert entered.is_set()


def test_the_wait_for_another_driver_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the folder and what to do."""
    pytest.importorskip("fcntl", reason="fcntl is missing: folders cannot be locked")
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.3)
    with (
        folder_lock(tmp_path),
        pytest.raises(TimeoutError, match=r"held its lock for 0\.3 seconds") as raised,
        folder_lock(tmp_path),
    ):
        pass
    assert raised.value.filename == str(tmp_path)
    with folder_lock(tmp_path):  # it is free again
        pass


@pytest.mark.parametrize("name", ["fifo", "/dev/zero", "folder", "large"])
def test_only_regular_files_of_limited_size_are_read(tmp_path: Path, name: str) -> None:
    """Nothing waits for a writer, and nothing is read without end; the error names the file."""
    path = tmp_path / name
    make_fifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(OSError, match=r"regular|directory|larger") as raised:
        read_file(path, limit=4)
    assert raised.value.filename == str(path)
    assert read_file(tmp_path / "large", limit=5) == b"12345"


def test_an_output_fifo_needs_a_reader(tmp_path: Path) -> None:
    """Without one the error is immediate; with one the text arrives."""
    make_fifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="nothing reads from this FIFO"):
        open_output(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with open_output(tmp_path / "fifo") as file:
        file.write("a\n")
    assert os.read(reader, 9) == b"a\n"
    os.close(reader)


def make_fifo(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("os.mkfifo is missing")
    os.mkfifo(path)


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    """Nothing is left behind."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (folder, tmp_path / "nowhere" / "file"):
        with pytest.raises(OSError, match=re.escape(f": '{path}'") + "$"):
            write_text(path, "text")
    assert list(tmp_path.rglob("*")) == [folder]
