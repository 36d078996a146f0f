"""What a run does to its worker process is undone before the next run."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import gc, os, signal, sys, time
from optbench.execution.process_state import ProcessState

state = ProcessState()
limit = sys.getrecursionlimit()

def strike(number, frame):
    raise RuntimeError("struck by a timer of an earlier run")

def disturb():
    signal.signal(signal.SIGALRM, strike)
    signal.signal(signal.SIGVTALRM, strike)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.3, 0.3)
    signal.setitimer(signal.ITIMER_PROF, 0.3, 0.3)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    sys.setrecursionlimit(500)
    sys.setprofile(lambda *event: None)
    gc.disable()

for _ in range(2):
    disturb()
    state.restore()
for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
    assert signal.getitimer(timer) == (0.0, 0.0)
for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGTERM):
    assert signal.getsignal(number) is signal.SIG_DFL
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
assert sys.getrecursionlimit() == limit
assert sys.getprofile() is None and gc.isenabled()
deadline = time.monotonic() + 0.5
while time.monotonic() < deadline:
    pass
os.write(2, b"undisturbed")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timers that send signals")
def test_timers_and_signal_handlers_end_with_their_run() -> None:
    """No signal of an earlier run arrives in a later one, and each is handled as at the start."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "undisturbed")
