"""Studies with random faults, one after the other: ``python -m tests.faults.soak --minutes 15``.

Every study is disturbed a few times and then finished by the same command. The table at the end
counts the faults and the losses. The exit code is 1 when a committed run was lost or trained again,
when a leaderboard differs from that of an undisturbed study and no line says why, or when a command
hangs.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from optbench.errors import OptbenchError
from tests.faults.clusters import Cluster, quiet_dask
from tests.faults.damage import filled_files, flip_bit
from tests.faults.disks import mounted
from tests.faults.studies import (
    BOTH,
    Driver,
    Folder,
    Outcome,
    comparable,
    end_drivers,
)
from tests.support.waiting import PATIENCE, wait_for

PAUSE = 0.15
"""Seconds that a run waits before it trains, so that faults hit it in the middle."""
LIMIT_SECONDS = 2.0
"""Limit of a run in the scenes that have one."""
SETTLED = 1.5
"""Seconds that the start and the end of a driver take about; faults hit these as well."""


@dataclass
class Tally:
    """Counts of the faults so far, and of their consequences."""

    faults: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    lost: int = 0
    twice: int = 0
    in_flight: int = 0
    equal: int = 0
    silent: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self, folder: Folder) -> None:
        """Add the ledger of a study."""
        ledger = folder.account()
        self.studies += 1
        self.lost += ledger.lost
        self.twice += ledger.twice
        self.in_flight += ledger.in_flight

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, repeated or different."""
        faults = self.lost or self.twice or self.silent or self.wrong
        return not faults and self.equal == self.studies > 0

    def table(self) -> str:
        """Return the counts, one per line."""
        rows = [(f"{name} survived", str(n)) for name, n in sorted(self.faults.items())]
        rows += [
            ("faults survived in all", str(self.faults.total())),
            ("runs lost", str(self.lost)),
            ("committed runs trained twice", str(self.twice)),
            ("runs trained again, in flight at a fault", str(self.in_flight)),
            ("leaderboards compared", str(self.studies)),
            ("leaderboards equal", str(self.equal)),
            ("boards changed in silence", str(self.silent)),
            ("hangs", str(sum(map(is_hang, self.wrong)))),
            ("endings that were not clean", str(len(self.wrong))),
        ]
        return "\n".join(f"{name:<42}{value:>8}" for name, value in rows)


def is_hang(problem: str) -> bool:
    """Return whether a problem is that something did not end in time."""
    return any(words in problem for words in ("hangs", "waited in vain", "timed out"))


class Soak:
    """Disturbs studies at random.

    Args:
        place: Folder of the studies.
        seed: Seed of the faults; it repeats a soak as far as the clock allows.
    """

    def __init__(self, place: Path, seed: int) -> None:
        self.place = place
        self.chance = random.Random(seed)
        self.tally = Tally()
        quiet = Folder(place / "quiet", BOTH)
        quiet.run().check(0)
        self.expected = quiet.board()
        self.scenes: list[Callable[[Path], Folder]] = [
            self.killed,
            self.workers_killed,
            self.interrupted,
            self.stopped,
            self.workers_stopped,
            self.timed_out,
            self.store_flipped,
            self.cache_flipped,
            self.two_drivers,
            self.disk_full,
            self.cluster,
        ]

    def go_on(self, minutes: float) -> None:
        """Disturb one study after the other until the time is over; every scene at least once."""
        end = time.monotonic() + 60 * minutes
        turn = 0
        while time.monotonic() < end or turn < len(self.scenes):
            scene = self.scenes[turn % len(self.scenes)]
            self.study(scene, self.place / f"{turn}-{scene.__name__}")
            turn += 1

    def study(self, scene: Callable[[Path], Folder], place: Path) -> None:
        """Disturb a study, finish it, and compare its leaderboard."""
        before = self.tally.faults.total()
        try:
            folder = scene(place)
            folder.run().check(0)
            self.tally.take(folder)
            same = folder.board() == self.expected
        except (AssertionError, OptbenchError, subprocess.TimeoutExpired) as problem:
            self.tally.wrong.append(f"{place}: {problem}")
            print(f"{place.name}: WRONG: {problem}", flush=True)
            end_drivers()
            return
        self.tally.equal += same
        self.tally.silent += not same
        faults = self.tally.faults.total() - before
        print(f"{place.name}: {faults} faults, {'equal' if same else 'DIFFERENT'}", flush=True)

    # -- scenes: each returns a disturbed study that the same command can finish -------------------

    def killed(self, place: Path) -> Folder:
        """The driver is killed."""
        folder = Folder(place, pause=PAUSE)
        for _ in range(self.chance.randint(2, 5)):
            driver = folder.start()
            workers = self.wait_at_random(folder, driver)
            if driver.running:
                self.tally.faults["kills of the driver"] += 1
            driver.kill()
            self.check_gone(workers)
            folder.check()
        return folder

    def workers_killed(self, place: Path) -> Folder:
        """Worker processes die of several signals; a run that loses its worker gets another one."""
        folder = Folder(place, pause=PAUSE)
        driver = folder.start_and_train()
        while driver.running:
            time.sleep(self.chance.uniform(0, 0.3))
            if victims := folder.at_work(driver):
                number = self.chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.chance.choice(victims).send_signal(number)
                    self.tally.faults["kills of a worker"] += 1
                # A run that loses three workers is recorded as failed: let it finish.
                target = len(folder.starts()) + 5

                def has_moved_on(target: int = target) -> bool:
                    return len(folder.starts()) >= target or not driver.running

                wait_for(has_moved_on, "more")
        driver.wait().check(0)
        folder.check()
        return folder

    def interrupted(self, place: Path) -> Folder:
        """The driver gets SIGINT or SIGTERM, once or twice."""
        folder = Folder(place, pause=PAUSE)
        for _ in range(self.chance.randint(2, 4)):
            number = self.chance.choice([signal.SIGINT, signal.SIGTERM])
            driver = folder.start()
            workers = self.wait_at_random(folder, driver)
            caught = driver.running
            driver.send(number)
            if self.chance.random() < 0.5:
                time.sleep(self.chance.uniform(0, 0.5))
                driver.send(number)
            outcome = driver.wait()
            if caught:
                self.tally.faults[f"{number.name} to the driver"] += 1
                self.check_end(outcome, {0, 128 + number})
            self.check_gone(workers)
            folder.check()
        return folder

    def stopped(self, place: Path) -> Folder:
        """The driver is stopped for longer than the limit of a run, and goes on."""
        folder = Folder(place, BOTH, "--timeout", str(LIMIT_SECONDS), pause=PAUSE)
        driver = folder.start_and_train()
        while driver.running:
            driver.send(signal.SIGSTOP)
            time.sleep(self.chance.choice([0.1, 2 * LIMIT_SECONDS]))
            driver.send(signal.SIGCONT)
            self.tally.faults["stops of the driver"] += 1
            time.sleep(self.chance.uniform(0, 1))
        driver.wait().check(0)
        folder.check()
        self.without_limit(folder)
        return folder

    def workers_stopped(self, place: Path) -> Folder:
        """Worker processes are stopped for a while, and go on."""
        folder = Folder(place, pause=4 * PAUSE)
        driver = folder.start_and_train()
        while driver.running:
            time.sleep(self.chance.uniform(0, 0.5))
            if victims := folder.at_work(driver):
                victim = self.chance.choice(victims)
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.suspend()
                    time.sleep(self.chance.uniform(0, 1))
                    victim.resume()
                    self.tally.faults["stops of a worker"] += 1
        driver.wait().check(0)
        folder.check()
        return folder

    def timed_out(self, place: Path) -> Folder:
        """Runs last about as long as their limit: some are killed, and trained again later."""
        pause = str(LIMIT_SECONDS * self.chance.uniform(0.97, 1.02))
        folder = Folder(place, BOTH, "--timeout", str(LIMIT_SECONDS), pause=float(pause))
        outcome = folder.run()
        self.check_end(outcome, {0, 3})
        (failed,) = folder.select("SELECT count(*) FROM runs WHERE status = 'failed'")[0]
        self.tally.faults["runs near their limit that were killed"] += failed
        folder.watch["FAULTS_PAUSE"] = "0"
        self.without_limit(folder)
        folder.arguments.append("--retry-failed")
        folder.run().check(0)
        folder.arguments.remove("--retry-failed")
        folder.ledger.read, folder.ledger.kept = len(folder.starts()), folder.stored()
        return folder

    def store_flipped(self, place: Path) -> Folder:
        """Single bits of the store are flipped; another report is written, and the study goes on.

        Both say what is damaged, or have the leaderboard of an undisturbed study. A store that is
        refused is left as it is, and its owner restores it from a copy.
        """
        folder = Folder(place)
        driver = folder.start()
        if self.chance.random() < 0.3:
            self.wait_at_random(folder, driver)
            driver.kill()
        else:
            driver.wait().check(0)
        for _ in range(self.chance.randint(2, 5)):
            folder.run().check(0)
            store = folder.out / "runs.sqlite"
            intact = store.read_bytes()
            flip_bit(store, self.chance)
            flipped = store.read_bytes()
            self.tally.faults["flipped bits of a store"] += 1
            report = self.report(folder)
            self.check_end(report, {0, 1})
            if report.code == 0 and "damaged" not in report.err:
                is_same = comparable(place / "copy")["json"] == self.expected["json"]
                self.tally.silent += not is_same
            again = folder.run()
            self.check_end(again, {0, 1})
            if again.code:
                assert store.read_bytes() == flipped, f"a refused store was changed: {again.err}"
                store.write_bytes(intact)
            else:
                self.tally.silent += folder.board() != self.expected
        # What was damaged had to be trained again.
        folder.ledger.read, folder.ledger.kept = len(folder.starts()), folder.stored()
        return folder

    def cache_flipped(self, place: Path) -> Folder:
        """Single bits of the cache (machine code, search points, datasets) are flipped."""
        cache = self.place / "cache"
        for turn in range(self.chance.randint(2, 4)):
            folder = Folder(place / str(turn))
            folder.watch |= {"OPTBENCH_CACHE": str(cache), "NUMBA_CACHE_DIR": str(cache / "numba")}
            files = filled_files(cache, "*.nbc", "*.npz", "*.py")
            for path in self.chance.sample(files, min(3, len(files))):
                flip_bit(path, self.chance)
                self.tally.faults["flipped bits of the cache"] += 1
            folder.run().check(0)
            self.tally.silent += folder.board() != self.expected
        folder.check()
        return folder

    def report(self, folder: Folder) -> Outcome:
        """Write the report of a study into the folder ``copy`` beside it."""
        shutil.rmtree(folder.place / "copy", ignore_errors=True)
        command = ["report", "study", "--to", "copy", "--formats", "none"]
        done = subprocess.run(
            [sys.executable, "-m", "optbench", *command],
            cwd=folder.place,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def without_limit(self, folder: Folder) -> None:
        """Remove the limit from the command, which is part of the report."""
        place = folder.arguments.index("--timeout")
        del folder.arguments[place : place + 2]

    def two_drivers(self, place: Path) -> Folder:
        """Two drivers share one folder; sometimes one of them is killed."""
        folder = Folder(place, pause=PAUSE)
        drivers = [folder.start()]
        time.sleep(self.chance.uniform(0, 1))
        drivers.append(folder.start())
        if self.chance.random() < 0.5:
            self.wait_at_random(folder, drivers[0])
            victim = drivers.pop(self.chance.randrange(2))
            if victim.running:
                self.tally.faults["kills of one of two drivers"] += 1
            victim.kill()
        for driver in drivers:
            driver.wait().check(0)
        self.tally.faults["pairs of drivers"] += 1
        # One driver may be training what the other has just committed: that is not a fault.
        folder.ledger.read, folder.ledger.kept = len(folder.starts()), folder.stored()
        return folder

    def disk_full(self, place: Path) -> Folder:
        """A disk or a quota is too small at first."""
        folder = Folder(place, pause=0)
        with mounted(place / "disk", 12) as disk:
            for _ in range(self.chance.randint(1, 3)):
                room = self.chance.choice([12, 40, 80, 120, 200, 400, 800, 1500])
                if disk is None:
                    outcome = folder.run(f"limit:{room}")
                else:
                    folder.out = disk.place / "study"
                    folder.arguments[-1] = "disk/study"
                    disk.leave(room)
                    outcome = folder.run()
                if outcome.code:
                    self.check_end(outcome, {1})
                    self.tally.faults["full disks"] += 1
                if disk is not None:
                    disk.free()
                folder.check()
            if disk is not None:
                folder.run().check(0)
                folder.check()
                shutil.copytree(disk.place / "study", place / "study")
        folder.out, folder.arguments[-1] = place / "study", "study"
        return folder

    def cluster(self, place: Path) -> Folder:
        """A Dask worker dies in the middle, another joins; or the scheduler dies."""
        place.mkdir()
        with quiet_dask(), Cluster(place) as cluster:
            folder = Folder(place / "here", BOTH, pause=PAUSE, scheduler=cluster.address)
            cluster.env |= folder.watch
            cluster.add_worker()
            cluster.add_worker()
            victims = cluster.wait_for_workers(2)
            driver = folder.start_and_train()
            for pid in victims[: self.chance.randint(1, 2)]:
                time.sleep(self.chance.uniform(0, 2))
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).kill()
                    self.tally.faults["kills of a Dask worker"] += 1
            if self.chance.random() < 0.5 and driver.running:
                time.sleep(self.chance.uniform(0, 2))
                if driver.running:
                    cluster.kill_scheduler()
                    self.tally.faults["kills of the scheduler"] += 1
            outcome = driver.wait()
            self.check_end(outcome, {0, 1})
            folder.check()
        folder.where = []  # the rest is trained without a cluster
        return folder

    # -- helpers ----------------------------------------------------------------------------------

    def wait_at_random(self, folder: Folder, driver: Driver) -> list[psutil.Process]:
        """Wait for a random time in the life of a driver; return its workers then."""
        if self.chance.random() < 0.7:
            begun = folder.ledger.read
            wait_for(lambda: len(folder.starts()) > begun or not driver.running, "training")
        time.sleep(self.chance.uniform(0, 2 * SETTLED))
        return driver.workers()

    def check_end(self, outcome: Outcome, codes: set[int]) -> None:
        assert outcome.code in codes, f"exit code {outcome.code}\n{outcome.err}"
        outcome.check(outcome.code)
        assert len(outcome.errors) <= 1, outcome.err

    def check_gone(self, workers: list[psutil.Process]) -> None:
        alive = psutil.wait_procs(workers, timeout=30)[1]
        assert alive == [], f"outlived their driver: {alive}"


def main() -> int:
    """Parse the options, run the soak, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="optbench-soak-") as folder:
        soak = Soak(Path(folder), seed)
        soak.go_on(given.minutes)
    print(soak.tally.table())
    for problem in soak.tally.wrong:
        print(problem)
    return 0 if soak.tally.clean else 1


if __name__ == "__main__":
    sys.exit(main())
