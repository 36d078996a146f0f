"""Log messages: quiet in Python, lines on stderr or on the progress bar in a command."""

from __future__ import annotations

import logging
import sys

import pytest

from optbench.support.log_lines import log_through, log_to_stderr, show_output

_log = logging.getLogger("optbench.engine.training")


def test_python_is_quiet_and_a_command_shows_one_line_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only messages of a running command are shown, without control characters."""
    _log.info("before")
    with log_to_stderr():
        _log.info("compiling %s", "adam\x1b[31m\nmomentum")
        _log.debug("details")
    _log.info("after")
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("compiling adam")
    assert line.isprintable()


def test_a_progress_bar_shows_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Within the block they go to the bar, afterwards to stderr."""
    lines: list[str] = []
    with log_to_stderr():
        with log_through(lines.append):
            _log.info("drawing the plots")
        _log.info("done")
    assert lines == ["drawing the plots"]
    assert capsys.readouterr().err == "done\n"


def test_what_a_worker_prints_is_shown_with_and_without_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in Python, where log messages are not; a stderr that has gone is not an error."""
    lines: list[str] = []
    show_output("noise\x1b[2J")
    with log_through(lambda text: None, lines.append):
        show_output("more noise")
    assert capsys.readouterr().err == "noise [2J\n"
    assert lines == ["more noise"]
    monkeypatch.setattr(sys, "stderr", None)
    show_output("nobody hears it")
