"""Files appear complete, and one driver at a time writes them."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optbench.support.files import folder_lock, write_text


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
            assert waiting.wait(30)
            assert not entered.is_set()
        writing.result(30)
    assert caplog.messages == ["another driver writes the report; waiting"]
    assert entered.is_set()


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    """Nothing is left behind."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (folder, tmp_path / "nowhere" / "file"):
        with pytest.raises(OSError, match=re.escape(f": '{path}'") + "$"):
            write_text(path, "text")
    assert list(tmp_path.rglob("*")) == [folder]
