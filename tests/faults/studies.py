"""A tiny study in real processes: start it, disturb it, and say what has become of its runs."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from optbench.records.packing import pack_result
from optbench.store import Store

HERE = Path(__file__).parent
WATCHED = str(HERE / "watched.py")
COMPILED = ("-o", "sgd", "-o", "adam")
STEPPED = ("-o", "walker", "-o", "walker[lr=0.5]")
BOTH = (*COMPILED, *STEPPED)
SMALL = ("-r", "batch", "--epochs", "2", "--grid", "5", "--seeds", "3", "--formats", "none")
PATIENCE = 120.0
"""Seconds that anything here may take, on a machine with other work."""


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Look again and again until it holds.

    Raises:
        AssertionError: it did not come about.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came about: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Outcome:
    """How a driver ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """What it said of errors."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]

    def check(self, code: int) -> Self:
        """The exit code is this one, and nothing looks like a crash.

        Raises:
            AssertionError: with all that it said.
        """
        said = f"exit code {self.code}\n{self.out}\n{self.err}"
        assert self.code == code, said
        assert "Traceback" not in self.err, said
        assert "Exception ignored" not in self.err, said
        return self


@dataclass
class Driver:
    """A running ``optbench run``."""

    process: subprocess.Popen[str]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait while it goes on.

        Raises:
            AssertionError: it ends before the condition holds.
        """
        wait_for(lambda: condition() or not self.running, what)
        if not condition():
            outcome = self.wait()
            raise AssertionError(f"ended before {what}: {outcome.code}\n{outcome.err}")

    def workers(self) -> list[psutil.Process]:
        """Its worker processes that live."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
        return []

    def wait(self) -> Outcome:
        """Until it ends.

        Raises:
            AssertionError: it does not.
        """
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"the driver hangs\n{out}\n{err}") from None
        return Outcome(self.process.returncode, out, err)

    def kill(self) -> Outcome:
        """``kill -9``."""
        self.send(signal.SIGKILL)
        return self.wait()


_started: list[Driver] = []


def end_drivers() -> None:
    """Kill every driver that is still there, as after a test that failed half-way."""
    while _started:
        driver = _started.pop()
        if driver.running:
            driver.kill()


@dataclass
class Ledger:
    """What has become of a study's runs over all its executions.

    Attributes:
        kept: runs that were committed when a driver ended, with all that is stored of them.
        read: how much of the log of training starts has been accounted for.
        lost: runs that were committed once and are gone or different.
        twice: runs that were trained again though they had been committed.
        in_flight: runs trained again because a driver ended before they were committed.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    read: int = 0
    lost: int = 0
    twice: int = 0
    in_flight: int = 0


class Folder:
    """One study in a folder of its own.

    Args:
        place: the folder; the study is ``study`` in it, so that every command is the same.
        entrants: options that say who takes part.
        pause: seconds that each run waits before it trains.
        scheduler: address of the Dask cluster that trains it.
    """

    def __init__(
        self,
        place: Path,
        entrants: Sequence[str] = BOTH,
        *more: str,
        pause: float = 0.0,
        scheduler: str = "",
    ) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place, self.out, self.log = place, place / "study", place / "starts.log"
        self.arguments = ["run", "smoke", *entrants, *SMALL, *more]
        self.arguments += ["--plugin", WATCHED, "--out", "study"]
        self.where = ["--scheduler", scheduler] if scheduler else []
        self.watch = {"FAULTS_LOG": str(self.log), "FAULTS_PAUSE": str(pause)}
        self.ledger = Ledger()

    def start(self, *moments: str, **env: str) -> Driver:
        """Start the command; `moments` are those of moments.py, such as ``"training=9"``."""
        how = [str(HERE / "moments.py"), *moments, "--"] if moments else ["-m", "optbench"]
        driver = Driver(
            subprocess.Popen(
                [sys.executable, *how, *self.arguments, *self.where],
                cwd=self.place,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **self.watch, **env},
            )
        )
        _started.append(driver)
        return driver

    def run(self, *moments: str, **env: str) -> Outcome:
        """Start it and wait for its end."""
        return self.start(*moments, **env).wait()

    def start_and_train(self, more: int = 1, /, **env: str) -> Driver:
        """Start it, and come back when so many further runs have begun to train."""
        before = len(self.starts())
        driver = self.start(**env)
        driver.until(lambda: len(self.starts()) >= before + more, "further training")
        return driver

    def starts(self) -> list[str]:
        """Keys of the runs that began to train, in order, over all executions."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.split()[0] for line in text.splitlines()]

    def at_work(self, driver: Driver) -> list[psutil.Process]:
        """Worker processes that have begun to train."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        known = {int(line.split()[1]) for line in lines}
        return [worker for worker in driver.workers() if worker.pid in known]

    def sessions(self) -> list[int]:
        """The executions that came to train something."""
        if not (self.out / "runs.sqlite").exists():
            return []
        with Store(self.out / "runs.sqlite", create=False) as store:
            return [number for (number,) in store._select("SELECT id FROM sessions")]

    def stored(self) -> dict[str, bytes]:
        """Everything that is stored of each run, the session that trained it included."""
        if not (self.out / "runs.sqlite").exists():
            return {}
        with Store(self.out / "runs.sqlite", create=False) as store:
            sessions = dict(store._select("SELECT key, session FROM runs"))
            return {
                result.key: b"%d " % sessions[result.key] + pack_result(result)
                for result in store.results(sessions)  # a driver may be adding others
            }

    def loops(self) -> set[str]:
        """Which loops the stored runs were trained in."""
        with Store(self.out / "runs.sqlite", create=False) as store:
            return {result.loop for result in store.results()}

    def account(self) -> Ledger:
        """Bring the ledger up to date; no driver may be running."""
        ledger, now, starts = self.ledger, self.stored(), self.starts()
        for key in starts[ledger.read :]:
            ledger.twice += key in ledger.kept
            ledger.in_flight += key in ledger.begun and key not in ledger.kept
            ledger.begun.add(key)
        ledger.lost += sum(now.get(key) != data for key, data in ledger.kept.items())
        ledger.kept, ledger.read = now, len(starts)
        return ledger

    def check(self) -> None:
        """No committed run is lost, changed or trained again; to be asked after every execution.

        Raises:
            AssertionError: one is.
        """
        ledger = self.account()
        assert ledger.lost == 0
        assert ledger.twice == 0

    def board(self) -> dict[str, str]:
        """The leaderboard files as text, without what depends on the clock or the cluster."""
        found, where = comparable(self.out), " ".join(["", *self.where])
        return {name: text.replace(where, "") for name, text in found.items()} if where else found


def comparable(out: Path) -> dict[str, str]:
    """``leaderboard.{json,csv,md}`` without the fields that hold measured seconds.

    Left out are in JSON what stands under ``seconds`` or is of the axis ``seconds``, and in CSV
    the column ``time_seconds``. The Markdown has none and is compared as it is.
    """
    rows = list(csv.DictReader(io.StringIO((out / "leaderboard.csv").read_text())))
    table = [{name: cell for name, cell in row.items() if name != "time_seconds"} for row in rows]
    board = without_seconds(json.loads((out / "leaderboard.json").read_text()))
    return {
        "json": json.dumps(board, indent=1),
        "csv": json.dumps(table, indent=1),
        "md": (out / "leaderboard.md").read_text(),
    }


def without_seconds(value: Any) -> Any:
    """The same, without what was measured in seconds."""
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k != "seconds"}
    if isinstance(value, list):
        kept = (v for v in value if not (isinstance(v, dict) and v.get("axis") == "seconds"))
        return [without_seconds(v) for v in kept]
    return value


@contextlib.contextmanager
def no_orphans(driver: Driver) -> Iterator[list[psutil.Process]]:
    """The workers of a driver, which all end soon after what is done within."""
    workers = driver.workers()
    yield workers
    alive = psutil.wait_procs(workers, timeout=PATIENCE)[1]
    assert alive == [], f"outlived their driver: {alive}"
