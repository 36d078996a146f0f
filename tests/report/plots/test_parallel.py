"""Two processes draw the plots of a study as one would."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import pytest

from optbench.report.plots import drawings
from optbench.report.plots import parallel as studio
from optbench.report.plots.parallel import plots_under_way
from optbench.support.child_processes import Child, start_child, write_frame
from tests.report import samples

FORMATS = ("png", "svg")


def draw(folder: Path) -> list[Path]:
    """All plots of a small study."""
    folder.mkdir()
    with plots_under_way(*samples.study(), folder, FORMATS) as finish:
        return finish()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a machine of one core draws, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio, "available_cores", lambda: 1)
        patch.setattr(studio, "start_child", None)
        files = draw(tmp_path_factory.mktemp("one core") / "plots")
    return {path.name: path.read_bytes() for path in files}


def children(monkeypatch: pytest.MonkeyPatch, main: str = f"{studio.__name__}:main") -> list[Child]:
    """The processes that will be started, on a machine of two cores; `main` is what they do."""
    started: list[Child] = []

    def start(_main: str, **how: Any) -> Child:
        started.append(start_child(main, **how))
        return started[-1]

    monkeypatch.setattr(studio, "available_cores", lambda: 2)
    monkeypatch.setattr(studio, "start_child", start)
    return started


def test_the_other_process_draws_the_same_bytes(tmp_path: Path, alone: dict[str, bytes]) -> None:
    """Who drew a picture cannot be seen in it."""
    board, cells = samples.study()
    waiting, drawn = deque(name for name, _ in drawings(board, cells)), set[str]()
    assistant = studio._Assistant(waiting, drawn)
    assistant.begin(board, cells, tmp_path, FORMATS)
    assistant.wait()
    assistant.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == alone
    assert {f"{name}.{form}" for name in drawn for form in FORMATS} == set(alone)


def test_two_processes_share_the_work(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every picture is there once, in the order of one process, and no process stays."""
    started = children(monkeypatch)
    files = draw(tmp_path / "plots")
    assert [path.name for path in files] == list(alone)
    assert {path.name: path.read_bytes() for path in files} == alone
    assert [child.poll() is not None for child in started] == [True]


@pytest.mark.parametrize("main", ["sys:exit", "nowhere:main"])
def test_a_process_that_does_not_start_is_no_loss(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, main: str
) -> None:
    """It costs time, and not one picture."""
    assert len(children(monkeypatch, main)) == 0
    assert {path.name: path.read_bytes() for path in draw(tmp_path / "plots")} == alone


def test_a_process_that_the_system_refuses_is_no_loss(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no memory, or no more processes are allowed, this one draws everything."""

    def refused(_main: str, **how: Any) -> Child:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(studio, "available_cores", lambda: 2)
    monkeypatch.setattr(studio, "start_child", refused)
    assert {path.name: path.read_bytes() for path in draw(tmp_path / "plots")} == alone


def test_what_cannot_be_sent_is_drawn_here(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a traceback of the thread that sends it (warnings are errors here)."""

    def too_long(*_: Any) -> bytes:
        raise struct.error("'I' format requires 0 <= number <= 4294967295")

    children(monkeypatch)
    monkeypatch.setattr(studio, "_pack", too_long)
    assert {path.name: path.read_bytes() for path in draw(tmp_path / "plots")} == alone


def test_settings_of_this_process_are_in_no_picture(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process does not have those of a notebook, and no picture shows who drew it."""
    monkeypatch.setattr(studio, "available_cores", lambda: 1)
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "black"}):
        files = draw(tmp_path / "plots")
        assert mpl.rcParams["lines.linewidth"] == 9
    assert {path.name: path.read_bytes() for path in files} == alone


def test_a_picture_that_was_not_asked_for_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipe to the other process breaks when it is ready: all pictures are left to this one."""

    def broken(stream: IO[bytes], data: bytes) -> None:
        if data in map(str.encode, names):
            raise BrokenPipeError
        write_frame(stream, data)

    board, cells = samples.study()
    names = [name for name, _ in drawings(board, cells)]
    monkeypatch.setattr(studio, "write_frame", broken)
    waiting, drawn = deque(names), set[str]()
    assistant = studio._Assistant(waiting, drawn)
    assistant.begin(board, cells, tmp_path, FORMATS)
    assistant.wait()
    assert sorted(waiting) == sorted(names)
    assert drawn == set()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_sleeps_is_no_loss(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    """The picture that it was at is drawn here."""
    monkeypatch.setattr(studio, "PATIENCE", 0.5)
    started = children(monkeypatch)
    with plots_under_way(*samples.study(), tmp_path, FORMATS) as finish:
        wait_for(lambda: any(tmp_path.iterdir()))
        os.kill(started[0].pid, how)
        files = finish()
    assert {path.name: path.read_bytes() for path in files} == alone
    assert {path.name for path in tmp_path.iterdir()} == set(alone)


def test_an_interrupt_leaves_no_process_and_no_half_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the other process draws."""
    started = children(monkeypatch)

    def interrupted() -> None:
        with plots_under_way(*samples.study(), tmp_path, FORMATS):
            wait_for(lambda: any(path.suffix == ".part" for path in tmp_path.iterdir()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert started[0].poll() is not None
    assert not [path for path in tmp_path.iterdir() if path.suffix not in (".png", ".svg")]


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the other process has come so far."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the other process drew nothing in a minute")
