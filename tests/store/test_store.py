"""The store: nothing is lost, nothing is overwritten."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from optbench.errors import StoreError
from optbench.records import Status
from optbench.store import Store
from optbench.store import store as store_module
from optbench.store.checksums import checksum
from optbench.store.database import transaction
from optbench.store.rows import COLUMNS
from tests.store.results import assert_same, fill_store, make_result
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def test_a_result_comes_back_bit_for_bit(tmp_path: Path) -> None:
    """Numbers are read as they were measured, also of a diverged or failed run."""
    results = [make_result(0), make_result(1, 3, Status.DIVERGED), make_result(2, 0, Status.FAILED)]
    with Store(tmp_path / "runs.sqlite") as store:
        for result in results:
            store.put(result)
    with Store(tmp_path / "runs.sqlite", create=False) as store:
        stored = {result.key: result for result in store.results()}
        assert store.count() == len(stored) == 3
    for result in results:
        assert_same(stored[result.key], result)


def test_the_first_result_of_a_run_stays(tmp_path: Path) -> None:
    """A key is written once; the result of a second driver changes nothing."""
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(make_result(0))
        store.put(replace(make_result(0), params_hash="other"))
        assert [result.params_hash for result in store.results()] == ["hash0"]
        assert store.count() == 1


def test_a_failed_result_is_replaced_by_the_next_one(tmp_path: Path) -> None:
    """In one statement, so that no kill and no other driver can come in between."""
    failed, good = make_result(0, 0, Status.FAILED), make_result(0)
    assert failed.key == good.key
    with Store(tmp_path / "runs.sqlite") as store:
        for result in (failed, good, failed, make_result(0, 3)):
            store.put(result)
            store.flush()
        (stored,) = store.results()
    assert_same(stored, good)


def test_runs_are_found_by_key(tmp_path: Path) -> None:
    """By complete keys, also more than fit into one query, and by their first characters."""
    results = [make_result(seed, 2) for seed in range(1200)]
    results[0] = make_result(0, 2, Status.FAILED)
    with Store(tmp_path / "runs.sqlite") as store:
        for result in results:
            store.put(result)
        keys = [result.key for result in results]
        assert {r.key for r in store.results([*keys, "unknown"])} == set(keys) == store.keys()
        assert store.keys(failed=False) == set(keys[1:])
        assert keys[5] in store.keys(keys[5][:6])
        assert store.keys("%") == set()


def test_a_result_waits_half_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process sees a result soon, without one commit per result."""
    clock = [100.0]
    monkeypatch.setattr("optbench.store.store.time.monotonic", lambda: clock[0])
    path = tmp_path / "runs.sqlite"
    with Store(path) as store, Store(path) as reader:
        store.put(make_result(0))
        assert reader.count() == 0
        clock[0] += store_module.COMMIT_SECONDS
        store.tick()
        assert reader.count() == 1


def test_ctrl_c_while_another_driver_holds_the_file_leaves_no_transaction(tmp_path: Path) -> None:
    """The results that were to be committed are committed by the next flush."""
    path, main = tmp_path / "runs.sqlite", threading.main_thread().ident
    assert main is not None
    held = threading.Event()

    def hold_and_interrupt() -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held.set()
            waits = 0
            while waits < 3:  # the main thread waits in the call that begins a transaction
                time.sleep(0.02)
                waits += sys._current_frames()[main].f_code is begin
            signal.pthread_kill(main, signal.SIGINT)
            other.execute("COMMIT")

    begin = transaction.__wrapped__.__code__  # type: ignore[attr-defined]
    with Store(path) as store:
        store.put(make_result(0))
        neighbour = threading.Thread(target=hold_and_interrupt, daemon=True)
        neighbour.start()
        assert held.wait(PATIENCE)
        with pytest.raises(KeyboardInterrupt):
            store.flush()
        neighbour.join()
        store.flush()
        with Store(path) as reader:
            assert reader.count() == 1


def test_a_session_that_is_not_committed_is_not_used(tmp_path: Path) -> None:
    """What is written later does not name it, since another session may get its number."""

    class Interrupted(sqlite3.Connection):
        def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise KeyboardInterrupt
            return super().execute(statement, *args)

    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        with contextlib.closing(sqlite3.connect(path, factory=Interrupted)) as db:
            db.isolation_level = None
            own, store._db = store._db, db
            with pytest.raises(KeyboardInterrupt):
                store.begin_session("optbench run", {})
            store._db = own
        assert store.session is None
        assert store.last_session() is None


def test_studies_and_sessions_are_stored(tmp_path: Path) -> None:
    """The last study, and the command of the last session that trained, are read again."""
    with Store(tmp_path / "runs.sqlite") as store:
        assert store.last_study() is None
        assert store.last_session() is None
        store.begin_session("optbench run", {"python": "3"})
        store.put(make_result(0))
        store.save_study(b"one")
        store.save_study(b"two")
        store.flush()
        store.begin_session("optbench run again", {})
        assert store.last_study() == b"two"
        assert store.last_session() == ("optbench run", {"python": "3"})


def test_a_merge_adds_new_runs_and_names_conflicts(tmp_path: Path) -> None:
    """Where both stores have a run with different numbers, the own result stays."""
    with Store(tmp_path / "a.sqlite") as ours, Store(tmp_path / "b.sqlite") as theirs:
        for seed in (0, 1):
            ours.put(make_result(seed))
        theirs.put(make_result(1))
        theirs.put(replace(make_result(0), params_hash="differs"))
        theirs.put(make_result(2))
        conflicts = ours.conflicts(theirs)
        assert ours.merge(theirs) == 1
        assert [conflict.key for conflict in conflicts] == [make_result(0).key]
        assert msgspec.json.decode(conflicts[0].spec)["optimizer"] == "some"
        assert ours.count() == 3


def test_a_run_under_the_key_of_another_is_left_out_by_every_reader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Swapped rows would give a swapped leaderboard."""
    one, other = make_result(0), make_result(1)
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put(one)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.create_function("checksum", -1, checksum)
        db.execute("UPDATE runs SET key = ?", (other.key,))
        db.execute(f"UPDATE runs SET checksum = checksum({', '.join(COLUMNS)})")
    with Store(path) as store, Store(tmp_path / "else.sqlite") as target:
        for read in (
            lambda: list(store.results()),
            lambda: list(store.results([other.key])),
            lambda: list(store.lazy_results([other.key])),
            lambda: [None] * target.merge(store),
        ):
            caplog.clear()
            assert read() == []
            assert "it is another run" in caplog.text
        assert target.count() == 0


@pytest.mark.parametrize("column", ["spec", "status", "reason", "seconds", "columns", "curve"])
def test_every_value_of_a_run_is_verified(
    tmp_path: Path, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run with a changed value is named and left out, and can be trained again."""
    key, path = make_result().key, fill_store(tmp_path / "runs.sqlite", 1)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        value = b"123" if column in ("curve", "status") else "text"
        db.execute(f"UPDATE runs SET {column} = ?", (value if column != "reason" else b"",))
    with Store(path) as store:
        assert list(store.lazy_results([key], lazy_specs={key})) == []
        assert list(store.results()) == []
        assert f"{path}: run {key} is damaged" in caplog.text
        assert store.remove_damaged() == 1
        store.put(make_result())
        assert [result.key for result in store.results()] == [key]
        assert store.remove_damaged() == 0


def test_any_flipped_bit_of_a_row_is_found(tmp_path: Path) -> None:
    """One bit in one number is enough: this run is left out, and no other run."""
    path = fill_store(tmp_path / "runs.sqlite", 3)
    with Store(path) as store:
        store.begin_session("optbench run", {"cores": 2})
        store.save_study(b"the study")
    key = make_result(1).key
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        (curve,) = db.execute("SELECT curve FROM runs WHERE key = ?", (key,)).fetchone()
        for bit in (0, 7, 8 * len(curve) - 1):
            flipped = bytearray(curve)
            flipped[bit // 8] ^= 1 << bit % 8
            db.execute("UPDATE runs SET curve = ? WHERE key = ?", (bytes(flipped), key))
            db.commit()
            with Store(path) as store:
                keys = {result.key for result in store.results()}
            assert keys == {make_result(seed).key for seed in (0, 2)}
        db.execute("UPDATE studies SET record = ?", (b"the studz",))
        db.execute("UPDATE sessions SET command = 'optbench sun'")
    with Store(path) as store:
        with pytest.raises(StoreError, match="the study in it is damaged; run its command again"):
            store.last_study()
        assert not store.is_last_study(b"the study")
        assert store.last_session() is None


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    """The error says so in one line, and committed runs can be read again."""
    path = fill_store(tmp_path / "runs.sqlite", 20)
    script = f"""
    import resource
    from pathlib import Path
    from tests.store.results import make_result
    from optbench.errors import StoreError
    from optbench.store import Store
    try:
        with Store(Path({str(path)!r})) as store:
            for seed in range(20, 2000):
                store.put(make_result(seed))
                if seed == 40:
                    store.flush()
                    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    except StoreError as problem:
        print(problem)
    """
    done = run_script(script)
    assert "disk" in done.stdout, done.stderr
    assert "committed" in done.stdout
    assert done.stdout.count("\n") == 1
    with Store(path) as store:
        assert store.count() >= 41


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_kill_9_loses_at_most_what_was_not_committed(tmp_path: Path) -> None:
    """After any end of a driver the store opens again, and every run in it is complete."""
    path = tmp_path / "runs.sqlite"
    script = f"""
    import itertools, sys, time
    from pathlib import Path
    from tests.store.results import make_result
    from optbench.store import Store
    with Store(Path({str(path)!r})) as store:
        start = store.count()
        for seed in itertools.count(start):
            store.put(make_result(seed))
            if seed % 20 == 0:
                store.flush()
                print(seed + 1, flush=True)
            time.sleep(0.0005)
    """
    committed = 0
    for delay in (0.0, 0.05, 0.13):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        ) as driver:
            assert driver.stdout is not None
            committed = int(driver.stdout.readline())
            time.sleep(delay)
            driver.send_signal(signal.SIGKILL)
            lines = driver.stdout.read().split()
        committed = int(lines[-1]) if lines else committed
        with Store(path) as store:
            stored = {result.spec.seed: result for result in store.results()}
        assert set(range(committed)) <= set(stored)
        for seed, result in stored.items():
            assert_same(result, make_result(seed))
    assert committed > 20


def test_two_drivers_share_a_file(tmp_path: Path) -> None:
    """All write all their results; no run is stored twice and none is missing."""
    path = tmp_path / "runs.sqlite"
    problems: list[BaseException] = []

    def drive() -> None:
        try:
            with Store(path) as store:
                for seed in range(100):
                    store.put(make_result(seed, 5))
                    if seed % 5 == 0:
                        store.flush()
        except BaseException as problem:
            problems.append(problem)

    drivers = [threading.Thread(target=drive) for _ in range(3)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert not problems
    with Store(path) as store:
        assert store.count() == 100
    assert [p.name for p in tmp_path.iterdir()] == ["runs.sqlite"]
