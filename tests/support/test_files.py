"""Files appear whole, and one driver at a time writes them."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optbench.support.files import alone_in, write_text


def test_whoever_waits_for_another_driver_says_so(tmp_path: Path) -> None:
    """The other one may be stopped and never go on."""
    pytest.importorskip("fcntl", reason="fcntl is missing: folders cannot be locked")
    said: list[str] = []
    waiting, went_on = threading.Event(), []

    def say(line: str) -> None:
        said.append(line)
        waiting.set()

    def second() -> None:
        with alone_in(tmp_path, say):
            went_on.append(True)

    with ThreadPoolExecutor(1) as pool:
        with alone_in(tmp_path, said.append):
            assert said == []
            writing = pool.submit(second)
            assert waiting.wait(30)
            assert not went_on
        writing.result(30)
    assert said == ["another driver writes the report; waiting"]
    assert went_on


def test_what_goes_wrong_is_told_of_the_file_that_was_to_appear(tmp_path: Path) -> None:
    """Not of the one beside it, which is a matter of this module; and nothing stays."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (folder, tmp_path / "nowhere" / "file"):
        with pytest.raises(OSError, match=re.escape(f": '{path}'") + "$"):
            write_text(path, "text")
    assert list(tmp_path.rglob("*")) == [folder]
