"""Promises of downloads: only a file with the right hash is used, and an error says what to do."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import optbench
from optbench.data.downloads import download_folder, missing_files
from optbench.errors import ConfigError
from tests.support.mirror import Mirror, serving, sha256
from tests.support.waiting import PATIENCE

CONTENT = bytes(range(256)) * 1000


class Parcel(optbench.DatasetSource):
    """A dataset of one file; what is in it does not matter here."""

    name = "parcel"
    task = "binary"
    files = {"parcel.bin": sha256(CONTENT)}  # noqa: RUF012

    def load(self) -> Any:
        raise NotImplementedError


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror that has the file, and is the only one; an empty cache."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPTBENCH_DATA", raising=False)
    with serving() as server:
        server.files["/parcel/parcel.bin"] = CONTENT
        monkeypatch.setattr(Parcel, "mirrors", (f"{server.url}/parcel/",))
        yield server


def contents() -> dict[str, bytes]:
    """Everything in the folder of the downloads."""
    folder = download_folder(Parcel)
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.is_dir() else {}


def refusal() -> str:
    """What is said when the file cannot be had; it is one line."""
    with pytest.raises(ConfigError) as refused:
        optbench.fetch_files(Parcel)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def dead_address() -> Iterator[str]:
    """An address where nobody listens, and nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_file_is_downloaded_once(mirror: Mirror) -> None:
    """The second time it is there, and nobody is asked."""
    assert missing_files(Parcel) == ["parcel.bin"]
    for _ in range(2):
        paths = optbench.fetch_files(Parcel)
        assert paths == {"parcel.bin": download_folder(Parcel) / "parcel.bin"}
        assert contents() == {"parcel.bin": CONTENT}
    assert mirror.asked == ["/parcel/parcel.bin"]
    assert missing_files(Parcel) == []


def test_a_terminal_sees_the_progress_on_stderr(
    mirror: Mirror, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the file, and how much of it has come."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    optbench.fetch_files(Parcel)
    assert "parcel.bin" in terminal.getvalue()
    assert "256.0/256.0 kB" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_the_next_mirror_is_asked_when_one_fails(
    mirror: Mirror, dead_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the first, the second has no such file, the third has another."""
    mirror.files["/wrong/parcel.bin"] = b"something else"
    second, third = f"{mirror.url}/none", f"{mirror.url}/wrong"
    monkeypatch.setattr(Parcel, "mirrors", (dead_address, second, third, *Parcel.mirrors))
    optbench.fetch_files(Parcel)
    assert contents() == {"parcel.bin": CONTENT}
    assert mirror.asked == [f"/{at}/parcel.bin" for at in ("none", "wrong", "parcel")]


def test_without_a_mirror_the_error_says_what_to_do(
    mirror: Mirror, dead_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the file, its hash, the addresses with what was wrong there, and the folder."""
    monkeypatch.setattr(Parcel, "mirrors", (dead_address, f"{mirror.url}/none"))
    text = refusal()
    assert text.startswith("dataset 'parcel' needs the file parcel.bin")
    assert sha256(CONTENT) in text
    assert f"{dead_address}/parcel.bin: no connection" in text
    assert f"{mirror.url}/none/parcel.bin: 404 Not Found" in text
    assert f"put the file into {download_folder(Parcel)} by hand" in text
    assert contents() == {}


def test_a_file_with_another_hash_is_refused_and_not_kept(mirror: Mirror) -> None:
    """The message has the hash that was expected and the one that came."""
    mirror.files["/parcel/parcel.bin"] = b"something else"
    text = refusal()
    assert f"expected {sha256(CONTENT)} but got {sha256(b'something else')}" in text
    assert contents() == {}


def test_a_broken_download_is_not_kept(mirror: Mirror) -> None:
    """A connection that ends too soon leaves nothing behind; the next attempt succeeds."""
    mirror.cut.add("/parcel/parcel.bin")
    assert "/parcel/parcel.bin: the connection broke off" in refusal()
    assert contents() == {}
    mirror.cut.clear()
    optbench.fetch_files(Parcel)
    assert contents() == {"parcel.bin": CONTENT}


def test_a_file_put_there_by_hand_is_used(mirror: Mirror) -> None:
    """Nobody is asked for it."""
    place(CONTENT)
    assert optbench.fetch_files(Parcel)["parcel.bin"].read_bytes() == CONTENT
    assert mirror.asked == []


def test_a_wrong_file_put_there_by_hand_is_not_used(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is replaced when a mirror has the right one, and otherwise named with its hash."""
    place(CONTENT[:1000])
    addresses = Parcel.mirrors
    monkeypatch.setattr(Parcel, "mirrors", ())
    assert f"parcel.bin: its sha256 is {sha256(CONTENT[:1000])}" in refusal()
    assert contents() == {"parcel.bin": CONTENT[:1000]}
    monkeypatch.setattr(Parcel, "mirrors", addresses)
    optbench.fetch_files(Parcel)
    assert contents() == {"parcel.bin": CONTENT}


def place(content: bytes) -> None:
    """Put a file where the error says that it belongs."""
    download_folder(Parcel).mkdir(parents=True)
    (download_folder(Parcel) / "parcel.bin").write_bytes(content)


def test_a_mirror_of_ones_own_comes_first(
    mirror: Mirror, dead_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPTBENCH_MIRRORS names addresses that have a folder for each dataset."""
    mirror.files["/own/parcel/parcel.bin"] = CONTENT
    monkeypatch.setenv("OPTBENCH_MIRRORS", f"{dead_address} {mirror.url}/own/")
    optbench.fetch_files(Parcel)
    assert mirror.asked == ["/own/parcel/parcel.bin"]


def test_a_mirror_that_is_no_address_is_refused(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable, the value and what is allowed."""
    monkeypatch.setenv("OPTBENCH_MIRRORS", "/srv/data")
    assert refusal().startswith("OPTBENCH_MIRRORS: '/srv/data' is not an address; write http://")


def test_a_folder_that_cannot_be_written_is_named(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for a fault of the mirrors."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path / "file"))
    text = refusal()
    assert text.startswith(str(tmp_path / "file"))
    assert "cannot be written: Not a directory; OPTBENCH_CACHE names another folder" in text


FETCH = """
import optbench
from optbench.data import downloads
downloads.SECONDS = {seconds!r}
class Parcel(optbench.DatasetSource):
    name, task = "parcel", "binary"
    files, mirrors = {files!r}, {mirrors!r}
    def load(self): ...
print(optbench.fetch_files(Parcel)["parcel.bin"].read_bytes() == bytes(range(256)) * 1000)
"""


def fetching() -> str:
    """Code of a process that fetches the file, however long it has to wait for its mirror."""
    return FETCH.format(seconds=PATIENCE, files=Parcel.files, mirrors=Parcel.mirrors)


def test_nothing_is_said_without_a_terminal(mirror: Mirror) -> None:
    """Output can be piped, and a log is not filled; pooch would announce each download."""
    code = fetching()
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("True\n", "")
    assert len(mirror.asked) == 1


def test_two_processes_may_download_at_once(mirror: Mirror) -> None:
    """Both have the whole file, and neither leaves anything else."""
    # both are asking before either is told
    mirror.before = threading.Barrier(2, timeout=PATIENCE).wait
    command = [sys.executable, "-c", fetching()]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other,
    ):
        assert [process.communicate()[0] for process in (one, other)] == ["True\n", "True\n"]
    assert len(mirror.asked) == 2
    assert contents() == {"parcel.bin": CONTENT}


def test_what_downloads_is_imported_when_it_is_needed(mirror: Mirror) -> None:
    """Neither the start nor a file that is there pays for pooch and requests."""
    place(CONTENT)
    code = fetching() + (
        "import sys; optbench.load_dataset('iris'); print({'pooch', 'requests'} & {*sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "True\nset()\n"
