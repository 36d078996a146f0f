"""Ctrl-C and SIGTERM within a command; with real commands they are tested in tests/faults."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from optbench.cli.interrupts import exit_code, orderly


class Dying:
    """Sends a signal from its destructor, where Python drops exceptions."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self._number)
        time.sleep(0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_not_lost_where_python_drops_exceptions(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """It comes again, without a traceback, and its exit code is known."""

    def command() -> None:
        with orderly():
            Dying(number)
            time.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        command()
    assert exit_code() == code
    assert capsys.readouterr().err == ""


def test_handlers_are_put_back_and_ignored_signals_stay_ignored() -> None:
    """Whoever calls a command from Python keeps his own; ``nohup`` keeps its meaning."""
    hook, before = sys.unraisablehook, signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with orderly():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGINT) != signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
        assert sys.unraisablehook == hook
    finally:
        signal.signal(signal.SIGTERM, before)
