"""Progress: plain lines where there is no terminal, and an honest time left."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from optbench.cli.log_lines import shown_log
from optbench.cli.progress import ProgressView, span
from optbench.records import RunResult
from optbench.study import Progress
from tests.records.factories import make_run_spec


def progress_of(done: int, trained: int, **fields: Any) -> Progress:
    """Return the progress of a study of 100 runs."""
    return Progress(done=done, planned=100, trained=trained, failed=0, **fields)


def test_plain_lines_tell_runs_time_left_and_who_leads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line every few seconds; what was before the first run does not count."""
    clock = [0.0]
    monkeypatch.setattr("optbench.cli.progress.time.monotonic", lambda: clock[0])
    with ProgressView() as view:
        clock[0] = 100.0  # compiling
        for trained in range(1, 22):
            view(progress_of(trained + 5, trained, leader="adam" if trained > 10 else ""))
            clock[0] += 1.0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "6 of 100 runs",
        "11 of 100 runs",
        "16 of 100 runs, 1 min 24 s left, best so far: adam",
        "21 of 100 runs, 1 min 19 s left, best so far: adam",
        "26 of 100 runs, 1 min 14 s left, best so far: adam",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither lines nor a bar, nor log messages."""
    with shown_log(), ProgressView(quiet=True) as view:
        logging.getLogger("optbench").info("compiling")
        view(progress_of(1, 1))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (80, "1 min 20 s"), (7260, "2 h 1 min")],
)
def test_spans_are_short_words(seconds: float, words: str) -> None:
    """As one would say them."""
    assert span(seconds) == words


@pytest.mark.parametrize(("reasons", "warned"), [("aaaa", 1), ("aab", 0), ("baaa", 0)])
def test_an_entrant_that_fails_from_the_start_is_told_once(
    capsys: pytest.CaptureFixture[str], reasons: str, warned: int
) -> None:
    """While the study goes on; another entrant's failures are counted apart."""
    spec = make_run_spec()
    with ProgressView() as view:
        for reason in reasons:
            view(progress_of(1, 1, result=RunResult.failed(spec, reason), label="mine"))
            view(progress_of(1, 1, result=RunResult.failed(spec, "b"), label="other"))
    told = capsys.readouterr().err
    assert told.count("warning: the first 3 runs of mine all failed: a;") == warned
