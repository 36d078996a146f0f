"""Two processes draw the plots of a study as one would."""

from __future__ import annotations

import os
import signal
import struct
import time
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import pytest

from optbench.report.plots import parallel
from optbench.report.plots.parallel import background_plots
from optbench.support.child_processes import Child, start_child, write_frame
from tests.report import samples
from tests.support.waiting import PATIENCE, wait_for

FORMATS = ("png",)


def study() -> samples.Sample:
    """A study with just enough workloads for a second process, some of whose runs diverge."""
    return samples.study(datasets=("iris",), diverging=0.5)


def draw(folder: Path) -> list[Path]:
    """All plots of a small study."""
    folder.mkdir()
    with background_plots(*study(), folder, FORMATS) as finish:
        return finish()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a machine of one core draws, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "available_cores", lambda: 1)
        patch.setattr(parallel, "start_child", None)
        files = draw(tmp_path_factory.mktemp("one core") / "plots")
    return contents(files)


def contents(files: list[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files}


def record_children(
    monkeypatch: pytest.MonkeyPatch, main: str = f"{parallel.__name__}:main"
) -> list[Child]:
    """The processes that will be started, on a machine of two cores; `main` is what they do."""
    children: list[Child] = []

    def start(_main: str, **options: Any) -> Child:
        children.append(start_child(main, **options))
        return children[-1]

    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    monkeypatch.setattr(parallel, "start_child", start)
    return children


def test_the_second_process_draws_the_same_bytes(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture does not show which process drew it."""
    record_children(monkeypatch)
    with background_plots(*study(), tmp_path, FORMATS):
        wait_for(lambda: {path.name for path in tmp_path.iterdir()} == set(expected), "all plots")
    assert contents(list(tmp_path.iterdir())) == expected


def test_two_processes_share_the_work(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every picture is there once, in the order of one process, and no process stays."""
    children = record_children(monkeypatch)
    files = draw(tmp_path / "plots")
    assert [path.name for path in files] == list(expected)
    assert contents(files) == expected
    assert [child.poll() is not None for child in children] == [True]


def test_a_small_study_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process would take longer to start than the few pictures take to draw."""
    children = record_children(monkeypatch)
    with background_plots(*samples.tiny(), tmp_path, ("png",)) as finish:
        files = finish()
    assert all(path.is_file() for path in files)
    assert children == []


@pytest.mark.parametrize("main", ["sys:exit", "nowhere:main"])
def test_a_process_that_does_not_start_costs_no_picture(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, main: str
) -> None:
    """It costs only time."""
    children = record_children(monkeypatch, main)
    assert contents(draw(tmp_path / "plots")) == expected
    assert len(children) == 1


def test_a_process_that_the_system_refuses_costs_no_picture(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without memory, or without permission for a process, this process draws everything."""

    def refuse(_main: str, **options: Any) -> Child:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    monkeypatch.setattr(parallel, "start_child", refuse)
    assert contents(draw(tmp_path / "plots")) == expected


def test_a_study_that_cannot_be_sent_is_drawn_here(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a traceback of the thread that sends it (warnings are errors here)."""

    def too_long(stream: IO[bytes], data: bytes) -> None:
        raise struct.error("'I' format requires 0 <= number <= 4294967295")

    record_children(monkeypatch)
    monkeypatch.setattr(parallel, "write_frame", too_long)
    assert contents(draw(tmp_path / "plots")) == expected


def test_settings_of_this_process_are_in_no_picture(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second process does not have those of a notebook, so the first ignores them too."""
    monkeypatch.setattr(parallel, "available_cores", lambda: 1)
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "black"}):
        files = draw(tmp_path / "plots")
        assert mpl.rcParams["lines.linewidth"] == 9
    assert contents(files) == expected


def test_a_pipe_that_breaks_costs_no_picture(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second process is ready, but no request for a picture reaches it."""
    names = {name.rpartition(".")[0].encode() for name in expected}

    def broken(stream: IO[bytes], data: bytes) -> None:
        if data in names:
            raise BrokenPipeError
        write_frame(stream, data)

    record_children(monkeypatch)
    monkeypatch.setattr(parallel, "write_frame", broken)
    assert contents(draw(tmp_path / "plots")) == expected


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_sleeps_costs_no_picture(
    tmp_path: Path,
    expected: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    signal_number: signal.Signals,
) -> None:
    """The picture that it was drawing is drawn here, and no half-written file stays."""
    monkeypatch.setattr(parallel, "PATIENCE_SECONDS", 0.5)
    children = record_children(monkeypatch)
    with background_plots(*study(), tmp_path, FORMATS) as finish:
        wait_for(lambda: any(tmp_path.iterdir()), "a plot")
        os.kill(children[0].pid, signal_number)
        files = finish()
    assert contents(files) == expected
    assert {path.name for path in tmp_path.iterdir()} == set(expected)


def stay_in_a_picture() -> None:
    """What a second process runs that never ends its first picture."""
    from optbench.report.plots.sheets import Sheet

    def write_half(self: Sheet, file: Path | IO[bytes], form: str) -> None:
        assert isinstance(file, Path)
        file.write_bytes(b"half")
        time.sleep(PATIENCE)

    Sheet.write = write_half  # type: ignore[method-assign]
    parallel.main()


def test_an_interrupt_leaves_no_process_and_no_half_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the second process draws."""
    children = record_children(monkeypatch, f"{__name__}:stay_in_a_picture")
    monkeypatch.setattr(parallel, "PATIENCE_SECONDS", PATIENCE)

    def interrupted() -> None:
        with background_plots(*study(), tmp_path, FORMATS):
            wait_for(lambda: any(tmp_path.iterdir()), "half a picture")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert children[0].poll() is not None
    assert not list(tmp_path.iterdir())
