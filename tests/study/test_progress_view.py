"""Progress: plain lines where there is no terminal, and an honest time left."""

from __future__ import annotations

import itertools
import logging
import re
from typing import Any

import pytest

import optbench
from optbench.records import RunResult
from optbench.study import Progress
from optbench.study.progress_displays import Bar, Lines, NotebookBar, terminal_display
from optbench.study.progress_view import ProgressView, duration, shown_progress
from optbench.support.log_lines import is_notebook, log_to_stderr
from tests.records.factories import make_run_spec


def progress_of(done: int, trained: int, **fields: Any) -> Progress:
    """Return the progress of a study of 100 runs."""
    return Progress(done=done, planned=100, trained=trained, failed=0, **fields)


def test_plain_lines_tell_runs_time_left_and_who_leads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines at growing distances; what was before the first run does not count."""
    clock = [0.0]
    monkeypatch.setattr("optbench.study.progress_view.time.monotonic", lambda: clock[0])
    with ProgressView(Lines()) as view:
        clock[0] = 100.0  # compiling
        for trained in range(1, 22):
            view(progress_of(trained + 5, trained, leader="adam" if trained > 10 else ""))
            clock[0] += 1.0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "6 of 100 runs",
        "14 of 100 runs",
        "26 of 100 runs, 1 min 14 s left, best so far: adam",
    ]


def test_an_hour_of_training_leaves_few_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five seconds to the first line, and never more than two minutes to the next."""
    clock = [0.0]
    monkeypatch.setattr("optbench.study.progress_displays.time.monotonic", lambda: clock[0])
    lines, printed = Lines(), []
    for second in range(3600):
        clock[0] = float(second)
        lines.show_progress(progress_of(0, 0), lambda: "training")
        if capsys.readouterr().err:
            printed.append(second)
    assert printed[0] == 5
    assert sum(second < 600 for second in printed) < 15
    assert max(b - a for a, b in itertools.pairwise(printed)) == 120


def test_a_command_of_a_notebook_gets_lines_though_it_has_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every update of a bar would stay in the output of ``!optbench run``."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert isinstance(terminal_display(), Lines)
    monkeypatch.delenv("JPY_PARENT_PID")
    bar = terminal_display()
    bar.close()
    assert isinstance(bar, Bar)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_bar_fits_on_one_line_and_names_both_times(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs, elapsed and left stand in full, while training and while a file is written."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    bar = Bar()
    bar.show_progress(
        Progress(done=42_000, planned=42_724, trained=10, failed=0, leader="sgd[lr=0.01]"),
        lambda: "",
    )
    bar._bar.refresh()
    bar.show_line("drawing convergence.png")
    bar._bar.refresh()
    bar.close()
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\r", capsys.readouterr().err)
    frames = [" ".join(frame.split()) for frame in re.split(r"[\r\n]{2,}", lines)]
    text = " ".join(frames)
    assert re.search(r"42000/42724 runs \d:\d\d:\d\d elapsed \S+ left best: sgd\[lr=0.01\]", text)
    assert re.search(
        r"drawing convergence.png .*42000/42724 runs \d:\d\d:\d\d elapsed \S+ left", text
    )


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither lines nor a bar, nor log messages."""
    with log_to_stderr(), ProgressView(None) as view:
        logging.getLogger("optbench").info("compiling")
        view(progress_of(1, 1))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (80, "1 min 20 s"), (7260, "2 h 1 min")],
)
def test_spans_are_short_words(seconds: float, words: str) -> None:
    """As one would say them."""
    assert duration(seconds) == words


@pytest.mark.parametrize(("reasons", "warned"), [("aaaa", 1), ("aab", 0), ("baaa", 0)])
def test_an_entrant_that_fails_from_the_start_is_told_once(
    capsys: pytest.CaptureFixture[str], reasons: str, warned: int
) -> None:
    """While the study goes on; another entrant's failures are counted apart."""
    spec = make_run_spec()
    with ProgressView(Lines()) as view:
        for reason in reasons:
            view(progress_of(1, 1, result=RunResult.failed(spec, reason), label="mine"))
            view(progress_of(1, 1, result=RunResult.failed(spec, "b"), label="other"))
    told = capsys.readouterr().err
    assert told.count("warning: the first 3 runs of mine all failed: a;") == warned


def test_python_shows_progress_where_somebody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing outside of terminals and notebooks, unless it is asked for; or one's own observer."""
    clock = [0.0]
    monkeypatch.setattr("optbench.study.progress_view.time.monotonic", lambda: clock[0])
    for progress in (None, False, True):
        with shown_progress(progress) as observer:
            logging.getLogger("optbench").info("compiling")
            clock[0] += 10.0
            observer(progress_of(1, 1))
        expected = "compiling\n1 of 100 runs\n" if progress else ""
        assert capsys.readouterr() == ("", expected)
    seen: list[Progress] = []
    with shown_progress(seen.append) as observer:
        observer(progress_of(1, 1))
    assert [each.done for each in seen] == [1]


def test_a_notebook_has_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """One output, updated in place; what a plugin says in it is text."""
    from IPython import display

    outputs: list[str] = []

    class Handle:
        def update(self, html: Any) -> None:
            outputs.append(html.data)

    def show(html: Any, display_id: bool) -> Handle:
        assert display_id
        outputs.append(html.data)
        return Handle()

    monkeypatch.setattr(display, "display", show)
    clock = [0.0]
    monkeypatch.setattr("optbench.study.progress_displays.time.monotonic", lambda: clock[0])
    assert not is_notebook()
    with log_to_stderr(), ProgressView(NotebookBar()) as view:
        logging.getLogger("optbench").info("compiling <b>")
        clock[0] += 1.0
        view(progress_of(7, 7, leader="adam"))
    assert len(outputs) == 4
    assert "starting" in outputs[0]
    assert "compiling &lt;b&gt;" in outputs[1]
    assert 'max="100" value="7"' in outputs[2]
    assert "best so far: adam" in outputs[2]
    assert outputs[3] == ""


def test_training_in_a_notebook_says_that_it_compiles(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first call on a machine takes seconds; elsewhere, nothing is printed."""
    monkeypatch.setattr("optbench.engine.loops.warmup.jit.is_on_disk", lambda function: False)
    for watched in (False, True):
        monkeypatch.setattr("optbench.engine.loops.warmup._LOADED", set())
        monkeypatch.setattr("optbench.support.log_lines.is_notebook", lambda told=watched: told)
        optbench.train("sgd", dataset="iris", epochs=1)
        assert ("compiling the training loop" in capsys.readouterr().err) == watched


def test_a_bar_without_runs_counts_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a report is written again, there are neither runs nor a time left."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    bar = Bar()
    bar.show_line("writing leaderboard.md")
    bar._bar.refresh()
    bar.close()
    text = capsys.readouterr().err
    assert "writing leaderboard.md" in text
    assert "elapsed" in text
    assert not any(word in text for word in ("runs", "left", "0/"))
