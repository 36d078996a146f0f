"""A tiny study in real processes: start it, disturb it, and account for its runs."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from optbench.records.packing import pack_result
from optbench.store import Store
from tests.support.waiting import PATIENCE, wait_for

HERE = Path(__file__).parent
LIMIT_SECONDS = 10
"""A limit of a run that runs of milliseconds do not reach, though others may use the machine."""
WATCHED = str(HERE / "watched.py")
COMPILED = ("-o", "sgd", "-o", "adam")
STEPPED = ("-o", "walker", "-o", "walker[lr=0.5]")
BOTH = (*COMPILED, *STEPPED)
SMALL = ("-r", "batch", "--epochs", "2", "--grid", "5", "--seeds", "3", "--formats", "none")


@dataclass(frozen=True)
class Outcome:
    """Exit code and output of a driver."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines on stderr that report an error."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]

    def check(self, code: int) -> Self:
        """Require this exit code, and no sign of a crash.

        Raises:
            AssertionError: With the whole output.
        """
        output = f"exit code {self.code}\n{self.out}\n{self.err}"
        assert self.code == code, output
        assert "Traceback" not in self.err, output
        assert "Exception ignored" not in self.err, output
        return self


@dataclass
class Driver:
    """A running ``optbench run``."""

    process: subprocess.Popen[str]

    def send(self, number: signal.Signals) -> None:
        """Send the driver a signal."""
        self.process.send_signal(number)

    @property
    def running(self) -> bool:
        """Whether the driver has not ended."""
        return self.process.poll() is None

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until the condition holds, while the driver runs.

        Raises:
            AssertionError: The driver ends before.
        """
        wait_for(lambda: condition() or not self.running, what)
        if not condition():
            outcome = self.wait()
            raise AssertionError(f"ended before {what}: {outcome.code}\n{outcome.err}")

    def workers(self) -> list[psutil.Process]:
        """Return the live worker processes of the driver."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child for child in psutil.Process(self.process.pid).children() if lives(child)]
        return []

    def wait(self) -> Outcome:
        """Wait until the driver ends.

        Raises:
            AssertionError: It does not end within `PATIENCE`.
        """
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"the driver hangs\n{out}\n{err}") from None
        return Outcome(self.process.returncode, out, err)

    def kill(self) -> Outcome:
        """Kill the driver with SIGKILL."""
        self.send(signal.SIGKILL)
        return self.wait()


def lives(process: psutil.Process) -> bool:
    """Return whether a process has not ended; one that nobody has waited for yet has."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


_started: list[Driver] = []


def end_drivers() -> None:
    """Kill every driver that still runs, and close its pipes, as after a failed test."""
    while _started:
        with _started.pop().process as process:
            process.kill()


@dataclass
class Ledger:
    """The runs of a study over all its executions.

    Attributes:
        kept: Key of each run that was committed when a driver ended -> everything stored about it.
        begun: Keys of the runs that began to train.
        read: Number of lines of the log of training starts that are accounted for.
        lost: Number of runs that were committed once and are gone or different.
        twice: Number of runs that were trained again although they were committed.
        in_flight: Number of runs that were trained again because a driver ended too early.
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
        place: The folder. The study is its subfolder ``study``, so that every command is the same.
        entrants: Options that name the entrants.
        more: Further options.
        pause: Seconds that each run waits before it trains.
        scheduler: Address of a Dask cluster; empty to train on this machine.
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
        self.where: list[str] = []
        if scheduler:
            self.train_on(scheduler)
        self.watch = {"FAULTS_LOG": str(self.log), "FAULTS_PAUSE": str(pause)}
        self.ledger = Ledger()

    def train_on(self, scheduler: str) -> None:
        """Train on the cluster with this address from now on."""
        self.where = ["--scheduler", scheduler]

    def start(self, *moments: str, **env: str) -> Driver:
        """Start the command; `moments` are arguments of moments.py, such as ``"training=9"``."""
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
        """Start the command and wait for its end."""
        return self.start(*moments, **env).wait()

    def start_and_train(self, more: int = 1, /, **env: str) -> Driver:
        """Start the command, and return when this number of further runs have begun to train."""
        before = len(self.starts())
        driver = self.start(**env)
        driver.until(lambda: len(self.starts()) >= before + more, "further training")
        return driver

    def starts(self) -> list[str]:
        """Return the keys of the runs that began to train, in order, over all executions."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.split()[0] for line in text.splitlines()]

    def at_work(self, driver: Driver) -> list[psutil.Process]:
        """Return the worker processes that have begun to train."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        trainers = {int(line.split()[1]) for line in lines}
        return [worker for worker in driver.workers() if worker.pid in trainers]

    def sessions(self) -> list[int]:
        """Return the ids of the executions that trained something."""
        return [number for (number,) in self.select("SELECT id FROM sessions")]

    def stored(self) -> dict[str, bytes]:
        """Return key -> everything stored about a run, with the session that trained it."""
        sessions = dict(self.select("SELECT key, session FROM runs"))
        if not sessions:
            return {}
        with Store(self.out / "runs.sqlite", create=False) as store:
            return {
                result.key: b"%d " % sessions[result.key] + pack_result(result)
                for result in store.results(sessions)  # a driver may be adding others
            }

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds in the store; none while there is no store."""
        path = self.out / "runs.sqlite"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as db:
            return db.execute(statement).fetchall()

    def loops(self) -> set[str]:
        """Return the names of the loops that trained the stored runs."""
        with Store(self.out / "runs.sqlite", create=False) as store:
            return {result.loop for result in store.results()}

    def account(self) -> Ledger:
        """Update the ledger; no driver may be running."""
        ledger, now, starts = self.ledger, self.stored(), self.starts()
        for key in starts[ledger.read :]:
            ledger.twice += key in ledger.kept
            ledger.in_flight += key in ledger.begun and key not in ledger.kept
            ledger.begun.add(key)
        ledger.lost += sum(now.get(key) != data for key, data in ledger.kept.items())
        ledger.kept, ledger.read = now, len(starts)
        return ledger

    def check(self) -> None:
        """Require that no committed run was lost, changed or trained again.

        It is called after every execution.

        Raises:
            AssertionError: One was.
        """
        ledger = self.account()
        assert ledger.lost == 0
        assert ledger.twice == 0

    def board(self) -> dict[str, str]:
        """Return the leaderboard files as text, without measured seconds and the cluster's name."""
        files, where = comparable(self.out), " ".join(["", *self.where])
        return {name: text.replace(where, "") for name, text in files.items()} if where else files


def comparable(out: Path) -> dict[str, str]:
    """Return ``leaderboard.{json,csv,md}`` without the fields that hold measured seconds.

    In JSON these are the values under ``seconds`` and those of the axis ``seconds``, in CSV the
    column ``time_seconds``, and in any text the time that open pairs need.
    """
    rows = list(csv.DictReader(io.StringIO((out / "leaderboard.csv").read_text())))
    table = [{name: cell for name, cell in row.items() if name != "time_seconds"} for row in rows]
    board = without_seconds(json.loads((out / "leaderboard.json").read_text()))
    texts = {
        "json": json.dumps(board, indent=1),
        "csv": json.dumps(table, indent=1),
        "md": (out / "leaderboard.md").read_text(),
    }
    return {name: re.sub(r", about [\w. ]+? more\b", "", text) for name, text in texts.items()}


def without_seconds(value: Any) -> Any:
    """Return a JSON value without the fields measured in seconds."""
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k != "seconds"}
    if isinstance(value, list):
        rest = (v for v in value if not (isinstance(v, dict) and v.get("axis") == "seconds"))
        return [without_seconds(v) for v in rest]
    return value


@contextlib.contextmanager
def no_orphans(driver: Driver) -> Iterator[list[psutil.Process]]:
    """Yield the workers of a driver, and require that they end soon after the block."""
    workers = driver.workers()
    yield workers
    alive = psutil.wait_procs(workers, timeout=PATIENCE)[1]
    assert alive == [], f"outlived their driver: {alive}"
