"""Log messages: quiet in Python, lines on stderr or on the progress bar in a command."""

from __future__ import annotations

import logging

import pytest

from optbench.support.log_lines import log_shown_by, shown_log

_log = logging.getLogger("optbench.engine.training")


def test_python_is_quiet_and_a_command_shows_one_line_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only what is logged while a command runs is shown, and it cannot steer the terminal."""
    _log.info("before")
    with shown_log():
        _log.info("compiling %s", "adam\x1b[31m\nmomentum")
        _log.debug("details")
    _log.info("after")
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("compiling adam")
    assert line.isprintable()


def test_a_progress_bar_takes_the_lines_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Within the block they go to the bar, afterwards to stderr again."""
    lines: list[str] = []
    with shown_log():
        with log_shown_by(lines.append):
            _log.info("drawing the plots")
        _log.info("done")
    assert lines == ["drawing the plots"]
    assert capsys.readouterr().err == "done\n"
