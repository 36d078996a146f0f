"""One plugin misbehaves: the numbers of the others are those of a study without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from optbench.records import RunResult
from optbench.store import Store
from tests.faults.studies import HERE, LIMIT_SECONDS, Folder
from tests.support.waiting import PATIENCE

BAD = str(HERE / "misbehaving.py")
GOOD = ["sgd", "careful"]
FAILING = {
    "raises": "ValueError: no good",
    "exits": "SystemExit: 3",
    "dies": "its worker died each of 3 times (exit code 7)",
    "killed": "its worker died each of 3 times (signal 9)",
    "shapes": "",
    "eval-shapes": "",
    "asks": "EOFError",
    "breaks": "BdbQuit",
    "mutates": "",
}
"""Fault of the optimizer that fails its runs -> part of the reason."""
LATE = f"no result within {LIMIT_SECONDS} seconds; its worker was killed"
LIMITED = {
    "loops": LATE,
    "sleeps": LATE,
    "allocates": "emory",
}
"""Fault that only a limit stops -> part of the reason."""
HARMLESS = ["none", "prints", "child-asks", "closes", "threads", "litters"]
"""Faults that harm no run, not even that of the plugin itself."""


def study(place: Path, entrants: list[str], *more: str) -> dict[str, list[RunResult]]:
    """Run a study of these entrants to its end; return its runs by optimizer and fault."""
    names = [word for entrant in entrants for word in ("-o", entrant)]
    options = ("--ruleset", "defaults", "--seeds", "2", "--jobs", "2", "--plugin", BAD)
    folder = Folder(place, names, *options, *more)
    folder.run().check(0 if entrants == GOOD else 3)
    with Store(folder.out / "runs.sqlite", create=False) as store:
        runs: dict[str, list[RunResult]] = {}
        for result in store.results():
            spec = result.spec
            fault = spec.hyper.get("fault", spec.initializer_hyper.get("fault", ""))
            runs.setdefault(f"{spec.optimizer} {fault}", []).append(result)
    return runs


def bits(runs: list[RunResult]) -> dict[str, tuple[str, bytes]]:
    """Return the measured numbers of each run, except the times."""
    return {run.key: (run.params_hash, run.curve["val_loss"].tobytes()) for run in runs}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[RunResult]]:
    """Return the runs of the good entrants in a study of their own."""
    return study(tmp_path_factory.mktemp("alone"), GOOD)


def check(
    runs: dict[str, list[RunResult]], alone: dict[str, list[RunResult]], reasons: dict[str, str]
) -> None:
    """Require the numbers of the study without the others, and the reasons of their failures."""
    for name in ("sgd ", "careful "):
        assert {run.status for run in runs[name]} == {"ok"}
        assert bits(runs[name]) == bits(alone[name])
    check_failures(runs, reasons)


def check_failures(runs: dict[str, list[RunResult]], reasons: dict[str, str]) -> None:
    """Require that every run of these entrants failed for the given reason."""
    for name, reason in reasons.items():
        assert [run.status for run in runs[name]] == ["failed", "failed"], name
        assert all(run.reason and reason in run.reason for run in runs[name]), runs[name][0].reason


def test_a_bad_optimizer_harms_only_itself(
    tmp_path: Path, alone: dict[str, list[RunResult]]
) -> None:
    """An exception, the death of the process, changed global state: each ends with its run."""
    faults = [*FAILING, *HARMLESS, "not-finite"]
    rules = ["absent-rule", *(f"bad-rule[fault={f}]" for f in ("none", "litters", "shapes"))]
    runs = study(tmp_path, [*rules, *GOOD, *(f"misbehaving[fault={f}]" for f in faults)])
    check(runs, alone, {f"misbehaving {fault}": text for fault, text in FAILING.items()})
    check_failures(runs, {"absent-rule ": FAILING["dies"], "bad-rule shapes": ""})
    assert {run.status for run in runs["bad-rule litters"]} == {"ok"}
    assert {run.status for run in runs["misbehaving not-finite"]} == {"diverged"}
    none = bits(runs["misbehaving none"]).values()
    for fault in HARMLESS:
        assert {run.status for run in runs[f"misbehaving {fault}"]} == {"ok"}
        assert sorted(bits(runs[f"misbehaving {fault}"]).values()) == sorted(none)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc/self/statm are missing")
def test_limits_stop_runs_that_would_never_end(
    tmp_path: Path, alone: dict[str, list[RunResult]]
) -> None:
    """--timeout and --memory fail the runs that exceed them, and no others."""
    limits = ("--timeout", str(LIMIT_SECONDS), "--memory", "400")
    entrants = [*GOOD, *(f"misbehaving[fault={fault}]" for fault in LIMITED)]
    runs = study(tmp_path, entrants, *limits)
    check(runs, alone, {f"misbehaving {fault}": text for fault, text in LIMITED.items()})


def test_an_initializer_stays_out_of_the_driver(
    tmp_path: Path, alone: dict[str, list[RunResult]]
) -> None:
    """Its Python runs in a worker process, even where the training itself is compiled."""
    failing = {
        "raises": "ValueError: no good",
        "exits": "SystemExit: 3",
        "dies": "its worker died each of 3 times (exit code 7)",
        "not-finite": "values that are not finite",
        "shapes": "made shapes",
    }
    initializers = [f"bad-start[fault={fault}]" for fault in (*failing, "closes", "litters")]
    options = [word for start in ("he-normal", *initializers) for word in ("-i", start)]
    runs = study(tmp_path, ["sgd"], *options)
    usual = [run for run in runs["sgd "] if run.spec.initializer == "he-normal"]
    assert bits(usual) == bits(alone["sgd "])
    check_failures(runs, {f"sgd {fault}": text for fault, text in failing.items()})
    for fault in ("closes", "litters"):
        assert {run.status for run in runs[f"sgd {fault}"]} == {"ok"}


def test_a_thread_that_never_ends_does_not_hold_up_the_driver(tmp_path: Path) -> None:
    """A plugin may start a thread while it is imported; the command ends nevertheless."""
    plugin = tmp_path / "restless.py"
    plugin.write_text(
        "import threading, time\n"
        "from optbench import Initializer\n"
        "threading.Thread(target=time.sleep, args=(3600,)).start()\n"
        "class Restless(Initializer):\n"
        "    '''Never rests.'''\n"
        "    name = 'restless'\n"
    )
    command = [sys.executable, "-m", "optbench", "list", "initializers", "--plugin", str(plugin)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "restless" in result.stdout
