"""Plugins beside each other: what one does to its process, and what it starts, stays with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from optbench.store import Store
from tests.faults.studies import STEPPED, Folder
from tests.support.waiting import wait_for

STEPPER = """
import os, signal, subprocess, sys
import numpy as np
from optbench import Stepper, hyper
class Neighbour(Stepper):
    name = "neighbour"
    lr: float = hyper(0.1, low=0)
    def init(self, params, context):
        return None
    def step(self, params, grads, state, context):
        {fault}
        for param, grad in zip(params, grads):
            param[...] = param - context.h.lr * grad
"""
NEIGHBOUR = ("-o", "neighbour", *STEPPED)
MAX_CHARACTERS = 100_000
"""Longest output of a study on stderr, whatever its plugins print in one line."""
OPTIONS = ("--ruleset", "defaults", "--jobs", "2")


def study(place: Path, fault: str) -> dict[str, set[str]]:
    """Run a study of a plugin with a fault; return the ends of the runs by optimizer."""
    place.mkdir(exist_ok=True)
    plugin = place / "neighbour.py"
    plugin.write_text(STEPPER.format(fault=fault))
    folder = Folder(place, NEIGHBOUR, *OPTIONS, "--plugin", str(plugin))
    outcome = folder.run()
    outcome.check(3 if outcome.code else 0)
    assert len(outcome.err) < MAX_CHARACTERS
    ends: dict[str, set[str]] = {}
    with Store(folder.out / "runs.sqlite", create=False) as store:
        for result in store.results():
            ends.setdefault(result.spec.optimizer, set()).add(result.status)
    return ends


@pytest.mark.parametrize(
    "fault",
    [
        "np.zeros = np.empty_like = np.asarray = None",
        "np.random.default_rng = None",
        "signal.setitimer(signal.ITIMER_REAL, 0.001)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "import builtins; vars(builtins).clear()",
    ],
)
def test_a_plugin_fails_only_its_own_runs(tmp_path: Path, fault: str) -> None:
    """Patched modules, timers and signal handlers do not reach the runs of other files."""
    assert study(tmp_path, fault)["walker"] == {"ok"}


@pytest.mark.parametrize(
    "fault",
    [
        "raise BaseException('z' * 10**6)",
        "raise KeyboardInterrupt",
        "raise GeneratorExit('z' * 10**6)",
    ],
)
def test_an_exception_that_is_no_error_fails_its_run(tmp_path: Path, fault: str) -> None:
    """It is reported like any other, on one line that is cut; the worker lives on."""
    assert study(tmp_path, fault) == {"neighbour": {"failed"}, "walker": {"ok"}}
    with Store(tmp_path / "study" / "runs.sqlite", create=False) as store:
        reasons = {result.reason for result in store.results() if result.reason}
    (reason,) = reasons
    name = fault.removeprefix("raise ").partition("(")[0]
    assert name in reason
    assert "its worker died" not in reason
    assert len(reason) < MAX_CHARACTERS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is missing")
@pytest.mark.parametrize(
    "fault",
    ["os.fork()", "[os.fork() for _ in range(2)]", "print('z' * 10**6)"],
)
def test_forks_and_long_lines_leave_no_noise(tmp_path: Path, fault: str) -> None:
    """A process that forks twice closes the channel once; a line of a megabyte is cut."""
    assert study(tmp_path, fault)["walker"] == {"ok"}


LOOP = "for n in range(3, 4096):\n            try: os.{}\n            except OSError: pass"


@pytest.mark.parametrize(
    ("call", "end"),
    [("write(n, b'noise' * 9)", "failed"), ("write(n, b'')", "ok"), ("close(n)", "failed")],
)
def test_noise_in_every_descriptor_hangs_and_corrupts_nothing(
    tmp_path: Path, call: str, end: str
) -> None:
    """The worker counts as disturbed and is replaced; its run fails after three of them."""
    ends = study(tmp_path, LOOP.format(call))
    assert ends == {"neighbour": {end}, "walker": {"ok"}}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are missing")
@pytest.mark.parametrize(
    "fault",
    [
        "subprocess.Popen(['sleep', '3{0}'])",
        "subprocess.Popen(['sleep', '3{0}'], start_new_session=True)",
        "os.system('(setsid sleep 3{0} &)')",
        "subprocess.Popen(['sleep', '3{0}'], start_new_session=True); os._exit(7)",
        "os.fork() or os.execvpe('sleep', ['sleep', '3{0}'], {{}})",
    ],
)
def test_what_a_plugin_starts_ends_with_the_study(tmp_path: Path, fault: str) -> None:
    """Children and grandchildren, in a session of their own too: none holds up the study."""
    number = f"{abs(hash(str(tmp_path))) % 10**6:06}"
    assert study(tmp_path, fault.format(number))["walker"] == {"ok"}
    command = ["sleep", f"3{number}"]

    def has_ended() -> bool:  # the system takes a moment for it after the signal
        return command not in [p.info["cmdline"] for p in psutil.process_iter(["cmdline"])]

    wait_for(has_ended, "the end of what the plugin started")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is missing")
def test_a_plugin_s_children_do_not_hold_the_terminal_open(tmp_path: Path) -> None:
    """They have a pipe in the place of stderr; each line that they print is shown as one line."""
    plugin = tmp_path / "neighbour.py"
    fault = "subprocess.run(['sh', '-c', 'echo from a child >&2; ls -l /proc/self/fd >&2'])"
    plugin.write_text(STEPPER.format(fault=fault + "; print('from a plugin')"))
    options = ("--ruleset", "defaults", "--jobs", "2", "--plugin", str(plugin))
    folder = Folder(tmp_path, ("-o", "neighbour"), *options)
    with (tmp_path / "terminal").open("w") as terminal:
        command = [sys.executable, "-m", "optbench", *folder.arguments]
        env = os.environ | folder.watch
        subprocess.run(command, cwd=tmp_path, env=env, stdout=terminal, stderr=terminal, check=True)
    lines = (tmp_path / "terminal").read_text().splitlines()
    assert {"from a plugin", "from a child"} <= set(lines)
    assert not any("->" in line and line.endswith("/terminal") for line in lines)
